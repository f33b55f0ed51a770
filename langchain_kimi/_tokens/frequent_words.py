"""Words that are one token in vocabularies of the size of Kimi's, although the average for their length is higher.

They are the words for which the average was wrong most often in the code, the documentation and the licenses of
installed packages, and common words of conversations.
"""


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that are separated by blanks."""
    return frozenset(text.split())


EVERYWHERE = words_of(
    "access action actions additional address agent allowed alt anchor apache append application array arrow "
    "attachment audio auth author auto bar based basic bin bit black block book boolean browser budget build builder "
    "button cache callback called cancel cannot category center certificate chat check child choice class clear click "
    "client clock close cloud columns command comment comments common complete completed components config connect "
    "connection container content context control controls core count create created creating current custom "
    "dashboard data dataset debug default define defined definition definitions delay delete deleted description "
    "destroy details device digest direction directory disable docs document documentation double duplicate duration "
    "dynamic east editor elif else empty enable enabled encrypt endif endpoint engine enum environ error errors event "
    "example expand expanded expected experimental export expression extend extension external extract failed failure "
    "false family feature field file filename files filters find first folder follow form format forward fragment "
    "free function functions general generated generator github global gmail google group head header heading height "
    "hidden highlight history hostname icon identifier idx ifdef ignore image images img import include includes "
    "including index info initialized inline input instance int integer interval invalid issues item items json label "
    "large last latest layout left length level lib library license light like lines list listen localhost location "
    "lock logo mail management map match matcher maximum medium member members menu message messages metadata metrics "
    "minimum mkdir mode model models name node none not null number object offset only operation option options order "
    "origin original output package packages pagination parallel param parameters parent parser partial party "
    "password pattern payload pdf permission pkg plain platform plugin png point policy pragma prefix prepare preview "
    "previous primary print private pro profile profiles program projects properties property proto provider public "
    "publish python query question range red ref reference refresh region register related remove repeat request "
    "requests required requires res reset resource resources response rest result results returns right root router "
    "rpm run schema screen script search secret section security select selected self serial serif service services "
    "session settings share shared should shutdown side sidebar single size small socket sorted space spec special "
    "specific speed stack start static status step storage store str strict string subject success summary support "
    "supported supports svg swagger system tags temp temperature template testing tests text theme this thread time "
    "title toggle tokens toolbar tools turn txt type typename types uint undefined updated utf util utils val "
    "validation value values variable vars vector vendor version warning west width wiki window work wrap "
    "wrapper write www yes zone"
)
"""One token after a space, within a name and after most signs: the words of code, schemas and interfaces."""

IN_TEXTS = words_of(
    "about above according across actually advance after afternoon against agreed allow along alpha already "
    "alternative although always analysis annotation annotations another answer answers anything anyway applicable "
    "appropriate arbitrary argument arguments around arrays article assert assistant associated async attribute "
    "attributes authentication authorization automatically availability available avoid backend background because "
    "before behavior behaviour behind believe below between beyond binary booking bound branch builtin business bytes "
    "calls capital change changed changes character characters children climate cluster color column coming commands "
    "community company compare comparison compatibility compatible compliance component computer concise conditions "
    "configurations configure configured consider const constructor contain containing contains continue contributors "
    "conversion copies copyright correct corresponding could country culture currently customer customers decide "
    "delivery dependencies depending deprecated derived describe described design despite detailed determine develop "
    "development dictionary different directly disclaimer discuss display distribute distributed distribution doctor "
    "during economic education either encoding endorse endpoints energy environments equivalent especially evening "
    "everything except exception exceptions existing explain explicit express extensions features fields finance "
    "financial fixed flight float following formatted formatter found friendly furnished generate getting given "
    "governing government granted guaranteed handle handling handshake headers health helpful hereby herself "
    "hierarchy himself however https hundred implement implementation implementations implemented implementing "
    "implied important imports improve included increase individual information inherit initial install installed "
    "instead instructions intended interface internal international internet interpreter investment keyword keywords "
    "language lazy libraries licenses limitation limitations limited local looking lookup major making manage mapping "
    "market matches matching materials maybe means medical method methods million minutes missing modification "
    "modifications modify morning multiple names national necessary needed needs network newly nothing notice numbers "
    "numpy objects obtain obtaining operations optional orders other otherwise overflow padding paragraph parameter "
    "parse parsing particular passed patient patients people performance perhaps permissions permitted person picture "
    "please political portions position possible prior probably problem product products promote prompt provide "
    "provided provides published purpose pytest questions raise really received recommend recommended redistribute "
    "reduce references registry released remember report repository represent representation representations "
    "represented representing represents reproduce require requirement requirements research reserved restaurant "
    "restriction retain return returned rights rules running school science scripts second seconds sentence separate "
    "server setting shall short social software solid solution someone something sometimes specifically specify "
    "standard state still strategy stream struct structure student students style subclass sublicense submitted "
    "substantial suggest summarize supporting systems table teacher technology terms their themselves therefore these "
    "thinking those thought thousand through timeout together token tomorrow toward towards trace transform "
    "transition translate travel treatment tuple typically under understand unique university unsigned unstable "
    "unsupported until update upgrade useful using usually valid variables various verify versions warnings warranty "
    "weather website whether which while within without working would writing written yesterday yourself"
)
"""One token after a space or at the start of a line, but often several after a sign."""

NAMES = words_of(
    "Africa African America American April Arabic Asia August Australia Austria Beijing Berlin Brazil Britain "
    "British California Canada Chicago China Chinese December Dutch Earth Egypt England English Europe European "
    "February France French Friday Germany German Google Greek Hello Hindi India Indian Indonesia Internet Iran "
    "Ireland Israel Italian Italy January Japan Japanese John July June Korea Korean London Los March Mexico "
    "Microsoft Monday Moscow New November October Paris Please Polish Portuguese Python Russia Russian Saturday "
    "September Spain Spanish Sunday Swedish Sweden Thursday Tokyo Tuesday Turkey Turkish United Washington "
    "Wednesday York"
)
"""One token after a space: languages, countries, days, months and other names."""

"""All cases of leaked markup: in the content, and many of them also in the reasoning."""

from tests.kimi.corpus.cases import Case, in_reasoning
from tests.kimi.corpus.leaked_calls import IDS, JSON
from tests.kimi.corpus.leaked_ends import BARE, CUT, STRAY
from tests.kimi.corpus.leaked_markers import MARKERS
from tests.kimi.corpus.near_calls import NEAR_CALLS
from tests.kimi.corpus.tags import CALLS, TAGS, VALUES
from tests.kimi.corpus.varied_leaks import VARIED_LEAKS
from tests.kimi.corpus.varied_texts import VARIED_TEXTS

IN_CONTENT: list[Case] = [*MARKERS, *IDS, *JSON, *CUT, *STRAY, *BARE, *VARIED_LEAKS, *VARIED_TEXTS, *TAGS, *NEAR_CALLS]
IN_REASONING = [
    in_reasoning(case, source)
    for case, source in zip(
        [
            *MARKERS[:12],
            *MARKERS[16:30],
            *IDS[:4],
            *IDS[9:10],
            *JSON[:2],
            *CUT[:3],
            *STRAY[4:5],
            *CALLS[:11],
            *VALUES[:8],
        ],
        ["anomalyco/opencode#8851", "MoonshotAI/Kimi-K2#89", "vybestack/llxprt-code#749", "vllm-project/vllm#31896"]
        * 20,
        strict=False,
    )
]

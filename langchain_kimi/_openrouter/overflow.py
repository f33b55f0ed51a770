"""Recognize error messages about a prompt that is too long for the context of the model.

Most providers send no error type for it, and each has its own wording. Nearly all of them mention three things in one
sentence: the input, its length, and that it exceeds something. Others name a limit and a larger amount, or that a
length is exceeded, and nothing else.
"""

import re

_INPUT = re.compile(
    r"context|prompt|input|messages?\b|conversation|\bchat\b(?! template)|history|dialog|thread\b|sequence|seq ?len"
    r"|session len|token|request (?:requires|needs)|too much text",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"token|context|length|window|size|seq ?len|session len|(?:prompt|input|model) ?len|n ctx|characters"
    r"|too ?(?:long|large|big|much)|shorten|shorter|(?:long|short|small)er than|\bfits?\b|\b\d{1,9}k\b|this long\b"
    r"|(?:prompt|input|conversation|history) (?:limit |is )?(?:exceed|over)",
    re.IGNORECASE,
)
_SENT = "but|however|got|given|received|sent|requested|provided|have|has|allows|accepts|need\\w*|maximum|limit"
_EXCESS = re.compile(
    r"exceed|too ?(?:long|large|big|many|much)|(?:long|great|larg|bigg|high)er than|more (?:\w{1,20} ){0,3}than|surpass"
    r"|overflow|oversize|beyond|(?:over|above|past) (?:the|\d)|out of context|ran out of|no (?:more )?room|shorten"
    r"|truncate"
    r"|shorter (?:prompt|input|conversation|message|context|chat|text)"
    r"|(?:must|should|has to|have to|needs? to|can ?not|can't|may not|only) .{0,40}"
    r"(?:less|fewer|smaller|shorter|lower|at most|up to|maximum|greater|larger|longer|more|fit|<|≤)"
    r"|(?:must|should|has to|have to) be (?:between|within|in (?:the range|\(|\[|\d))|length should be \["
    r"|(?:does not|doesn't|do not|don't|not|won't) (?:\w{1,20} ){0,2}fit"
    r"|only (?:supports?|serves?|accepts?|takes?|handles?)\b|supports? (?:only|at most|up to)"
    r"|(?:window|context|limit) .{0,20}smaller than|this long\b|of this (?:length|size)"
    r"|(?:can ?not|can't|unable to) \w{1,20} .{0,20}(?:prompt|input|context)s? of \d"
    r"|limited to .{0,20}context|requires a context of \d|no \w{1,20} (?:supports?|can \w{1,20}) .{0,20}\d"
    r"|(?:un|not )supported (?:\w{1,20} )?length|length (?:\w{1,20} )?(?:is|are) not supported"
    r"|\d (?:tokens )?(?:is|are) not supported"
    r"|reduce|[\w)] [>≥]=? \w"
    r"|(?:context|conversation|chat|input|prompt|sequence|history|length|window)[^.]{0,40}"
    r"\b(?:(?:was|has been|is|been) hit|reached|used up|full)\b"
    r"|\b(?:hit|reached)\b.{0,20}\b(?:context|conversation|chat|input|prompt|sequence|history|length|window)"
    r"|context .{0,20}\bhit\b|too (?:small|short) for|not enough"
    r"|insufficient (?:context|length|window)|(?:context|length|window) (?:\w{1,20} ){0,2}insufficient"
    # A limit and a larger amount, without a word for the excess.
    rf"|\d.{{0,80}}\b(?:{_SENT})\b.{{0,80}}?\d",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:max|maximum|limit|limited|support|supports|supported|allow|allows|allowed|capacity|context|window|available"
    r"|accepts|serves|up to|at most|(?:must|should) be|model len)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(k\b)?", re.IGNORECASE)
_SMALLEST_LIMIT = 1000
"""The number of tokens of the smallest context. Smaller numbers count something else."""
_KNOWN = re.compile(
    # OpenRouter, OpenAI and Groq; xAI; Text Generation Inference; Z.ai; LM Studio; GitHub Models
    r"context length exceeded|string above max length|context window exceeded|maximum context length is"
    r"|maximum (?:prompt|input) length is|inputs`? tokens \+ `?max new tokens|reduce the length of (?:the mess|either)"
    # A sum of the prompt and the answer; PyTorch
    r"|tokens`?\)? (?:\+|plus|and) \(?`?max[_ ]|max position embeddings"
    # vLLM subtracts the prompt from the context for the default of max_tokens.
    r"|max tokens must be at least 1, got -",
    re.IGNORECASE,
)
_ONLY_LENGTH = re.compile(
    r"(?:(?:the|your|this|an?|request|content|text|total|max|maximum|allowed|permitted|size|model|tokens?|limits?|length"
    r"|error|upstream|of|for|is|was|has|been|by|exceeds?|exceeded|exceeding|too|long|large|bad|invalid)\b[\s\d:;,.()'\"`<>=]*){1,30}",
    re.IGNORECASE,
)
"""A sentence without a subject, or whose subject is the request."""
_TRY_AGAIN = re.compile(r"\b(?:please )?try again\b", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"length\b.*exceed|exceed.*length\b|(?:request|content|text|length) .{0,20}too long|length limit", re.IGNORECASE
)
_CHINESE = re.compile(
    r"(?:输入|提示词?|上下文|消息|对话|会话|文本|内容|字符|模型|prompt|tokens?).{0,30}"
    r"(?:超出|超过|超长|超限|超了|过长|太长|大于|多于|已满|(?:达到|到达).{0,4}(?:上限|限制))|请缩短(?:输入|提示|对话|消息|文本|内容)"
    r"|(?:超出|超过).{0,20}(?:上下文|长度)|最大(?:上下文|长度|输入).{0,20}\d.{0,20}(?:输入|请求)",
    re.IGNORECASE,
)
_CHINESE_OTHERS = re.compile(
    r"(?:输出|回复|生成|图片|图像|文件|音频|视频|附件|名称|工具|函数|描述|参数|标题|密码|并发|审核).{0,20}"
    r"|max tokens.{0,4}(?=超)",
    re.IGNORECASE,
)
"""Other subjects and the text after them, which is removed before the search."""
_FOREIGN_INPUT = re.compile(
    r"入力|プロンプト|コンテキスト|トークン|입력|프롬프트|컨텍스트|토큰|\beingabe|\bkontext|\bnachrichten|\bentrée|\bcontext[eo]"
    r"|\bconversation|\bentrada|\bconversa|\bcontesto|\bconversazione|\binvite\b|\bjetons|\bprompt|\btokens?\b|ввод|промпт|контекст|токен"
    r"|диалог|длинный запрос",
    re.IGNORECASE,
)
_FOREIGN_EXCESS = re.compile(
    r"長すぎ|超え|超過|너무 ?(?:깁|길|긴)|초과|zu lang|überschr|trop long|dépass|demasiado larg|excede|\bsuper[ao]n?\b"
    r"|sobrepasa|(?:muito|demasiado) long|troppo lung|слишком длинн|превы[шс]",
    re.IGNORECASE,
)
_LIMITED_RATE = re.compile(
    r"\bper[- ](?:second|sec|minute|min|hour|day|month|request limit)|/min|\bt[pd]m\b|\brpm\b|quota|rate[- _]?limit"
    r"|credit|balance|budget|took|timed? ?out|time limit|deadline|seconds|concurren|too many requests"
    r"|please wait|throttl|\baccount\b|\bplan\b|每(?:秒|分|小时|天|日|月)|额度|余额|配额|频率|速率|分あたり|毎分|분당"
    r"|(?:pro|par|por|al) minut|в минуту",
    re.IGNORECASE,
)
"""Words about limits of time and money. A shorter prompt does not help with these."""
_OTHER_SUBJECT = re.compile(
    r"(?<![a-z])(?:image|file|audio|video|pdf|attachment|url|tools?|function|name|description|stop|schema|metadata|header|id"
    r"|user|logprobs|embedding|batch|body|key)s?\b|tool call|temperature|top [kp]\b",
    re.IGNORECASE,
)
_TEXT_LENGTH = re.compile(r"token|context|max message|sequence length|input ids", re.IGNORECASE)
_NOT_THE_PROMPT = re.compile(
    r"(?:access|auth\w*|session|bearer|api|refresh|csrf|security|invalid|jwt) tokens?\b|\bapi key\b|queue"
    r"|logit bias|\bcaching\b|cached content|cache size|type ids|image tokens"
    r"|(?:maximum value|valid range|range) (?:for|of) `?max ",
    re.IGNORECASE,
)
"""Words about credentials, tokens of other fields, the minimum prompt of a cache, and the range of `max_tokens`."""
_OUTPUT_LIMIT = re.compile(
    r"max (?:completion |new |output )?tokens|output (?:token )?limit|max(?:imum)? (?:\w+ )?tokens you"
    r"|(?:output|completion|new|generated) tokens|\b(?:answer|reply|response|completion)\b",
    re.IGNORECASE,
)
_PROMPT = re.compile(r"context|prompt|input|messages?\b|conversation|sequence|seq ?len|chat\b|history", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?]\s+(?=[A-Z\"'`])|\n")
_WORD_JOINT = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
MAX_CHARACTERS = 4000
"""The maximum number of characters that are searched. The rest of a long text may be a copy of the request."""


def reports_overflow(text: str) -> bool:
    """Return whether an error message reports that the messages, alone or with `max_tokens`, exceed the context."""
    # Names of fields and codes are words, too: max_model_len, InputTooLong.
    text = _WORD_JOINT.sub(" ", text[:MAX_CHARACTERS])
    if _KNOWN.search(text):
        return True
    if _LIMITED_RATE.search(text):
        return False
    if _CHINESE.search(_CHINESE_OTHERS.sub("", text)) or any(map(_names_amounts, text.split("\n"))):
        return True
    return any(map(_is_overflow, _SENTENCE_END.split(text)))


def _is_overflow(sentence: str) -> bool:
    if _FOREIGN_INPUT.search(sentence) and _FOREIGN_EXCESS.search(sentence):
        return True
    if _TOO_LONG.search(sentence) and _ONLY_LENGTH.fullmatch(_TRY_AGAIN.sub("", sentence).strip()):
        return True
    return all(pattern.search(sentence) for pattern in (_INPUT, _LENGTH, _EXCESS)) and _is_about_the_prompt(sentence)


def _names_amounts(line: str) -> bool:
    """Return whether a message names an amount of the input and a limit, in one sentence or in two."""
    if not all(pattern.search(line) for pattern in (_INPUT, _LENGTH, _LIMIT)):
        return False
    amounts = {int(digits.replace(",", "")) * (_SMALLEST_LIMIT if k else 1) for digits, k in _AMOUNT.findall(line)}
    return sum(amount >= _SMALLEST_LIMIT for amount in amounts) > 1 and _is_about_the_prompt(line)


def _is_about_the_prompt(text: str) -> bool:
    if _NOT_THE_PROMPT.search(text):
        return False
    if _OTHER_SUBJECT.search(text) and not _TEXT_LENGTH.search(text):
        return False
    return not _OUTPUT_LIMIT.search(text) or _PROMPT.search(_OUTPUT_LIMIT.sub("", text)) is not None

r"""The wordings of messages about a prompt that is too long for the context of the model. `overflow` combines them.

Each line is one wording. The comment before it names the provider or server that uses it, or quotes a message. All
messages are in `tests/openrouter/overflow_cases.py`. To support another wording, add its message there and, if the test
fails, a line here.

The patterns are applied to words: `overflow` writes `max_model_len` and `maxModelLen` as `max model len`. Gaps have
limits, such as `.{0,40}`, so that the time is linear in the length of the message.
"""

from langchain_kimi._patterns import lazy_any_of

# ----------------------------------------------------------------------------------------------------------------------
# Wordings that decide by themselves.

KNOWN = lazy_any_of(
    # OpenAI and Groq: the code of the error
    r"context length exceeded",
    # OpenAI: the code of the error for one message that is too long
    r"string above max length",
    # Z.ai and LiteLLM: the code and the class of the error
    r"context window exceeded",
    # OpenRouter, OpenAI and vLLM, as in "This endpoint's maximum context length is 262144 tokens"
    r"maximum context length is",
    # xAI, as in "This model's maximum prompt length is 131072 but the request contains 537812 tokens."
    r"maximum (?:prompt|input) length is",
    # Text Generation Inference, as in "`inputs` tokens + `max_new_tokens` must be <= 4096"
    r"inputs`? tokens \+ `?max new tokens",
    # OpenAI and Groq, as in "reduce the length of the messages"; OpenRouter, as in "of either one"
    r"reduce the length of (?:the mess|either)",
    # A sum of the prompt and the answer, as in "The total number of tokens (prompt + max_tokens)"
    r"tokens`?\)? (?:\+|plus|and) \(?`?max[_ ]",
    # PyTorch, as in "Sequence length 140000 > max_position_embeddings 131072"
    r"max position embeddings",
    # vLLM subtracts the prompt from the context for the default of max_tokens: "got -123"
    r"max tokens must be at least 1, got -",
    r"\bctx overflow",
    # llama.cpp, as in "input is too large to process. increase the physical batch size"
    r"increase the physical batch size",
)
"""Wordings that are used for nothing else."""

OF_VALIDATORS = lazy_any_of(
    # The rejected value in pydantic's errors, as in "'input': {'messages': ...}", which may be the whole request
    r"(?s:(?<=['\"])input['\"]: ?['\"{\[(].*)",
    # Keys of pydantic's and Zod's errors
    r"(?<=['\"])(?:input|message)(?=['\"]:)",
    # pydantic, as in "max_tokens: Input should be less than or equal to 32768 [type=..., input_value=40000]"
    r"\binput(?= should be (?:less|greater) than\b)",
    r"\binput (?:value|type)=",
    # Zod, as in "Invalid input: expected string, received array"
    r"\binvalid input(?=: expected\b)",
)
"""Words of validators about any parameter, which do not mean the prompt. They are removed before all other searches."""

LIMITED_RATE = lazy_any_of(
    r"\bper[- ](?:second|sec|minute|min|hour|day|month|request limit)",
    r"/min",
    r"\b(?:hourly|daily|weekly|monthly)\b",
    r"\b(?:this|last|past) (?:minute|hour|day|week|month)\b",
    # As in "tokens allowed in 60s"
    r"\b(?:in|within|every) \d{1,5} ?(?:s|m|h|min)\b",
    r"\bt[pd]m\b",
    r"\brpm\b",
    r"quota",
    r"rate[- _]?limit",
    r"credit",
    r"balance",
    r"budget",
    # As in "No provider is below the price ceiling of 2000"
    r"\b(?:max )?prices?\b",
    r"took",
    r"timed? ?out",
    r"time limit",
    r"deadline",
    r"seconds",
    r"concurren",
    r"too many requests",
    r"please wait",
    r"throttl",
    r"\baccount\b",
    r"\bplan\b",
    # Chinese: per second to per month; quota, balance, frequency, rate
    r"每(?:秒|分|小时|天|日|月)",
    r"额度|余额|配额|频率|速率",
    # Per minute in Japanese, Korean, the Romance languages and German, and Russian
    r"分あたり|毎分",
    r"분당",
    r"(?:pro|par|por|al) minut",
    r"в минуту",
)
"""Words about limits of time and money. A shorter prompt does not help with these."""

# ----------------------------------------------------------------------------------------------------------------------
# English: one sentence mentions the input, its length, and that it exceeds something.

INPUT = lazy_any_of(
    r"context",
    r"prompt",
    r"input",
    r"messages?\b",
    r"conversation",
    # As in "The chat has reached its maximum length". A chat template is something else.
    r"\bchat\b(?! template)",
    r"history",
    r"dialog",
    r"thread\b",
    r"sequence",
    # max_seq_len of vLLM
    r"seq ?len",
    # session_len of LMDeploy
    r"session len",
    r"token",
    r"request (?:requires|needs)",
    r"too much text",
)

LENGTH = lazy_any_of(
    r"token",
    r"context",
    r"length",
    r"window",
    r"size",
    r"seq ?len",
    r"session len",
    # TensorRT-LLM, as in "promptLen (9000) exceeds maxInputLen (8192)"; max_model_len of vLLM
    r"(?:prompt|input|model) ?len",
    # n_ctx of llama.cpp
    r"n ctx",
    r"characters",
    r"too ?(?:long|large|big|much)",
    r"shorten",
    r"shorter",
    r"\btrim\b",
    r"over ?(?:long|length)",
    r"(?:long|short|small)er than",
    # As in "The prompt is larger than this deployment supports"
    r"(?:prompt|input|conversation|history)\b.{0,20}(?:larg|bigg)er than",
    r"\bfits?\b",
    # As in "Your prompt exceeds 128k."
    r"\b\d{1,9}k\b",
    r"this long\b",
    # As in "the prompt exceeds the model's capacity"
    r"(?:prompt|input|conversation|history) (?:limit |is )?(?:exceed|over)",
)

_LIMIT_AND_AMOUNT = (
    "but|however|got|given|received|sent|requested|provided|have|has|allows|accepts|provides|need\\w*|maximum|limit"
)

EXCESS = lazy_any_of(
    # Verbs and adjectives
    r"exceed",
    r"too ?(?:long|lengthy|large|big|many|much)",
    r"excessive",
    r"over ?(?:long|length)",
    r"(?:long|great|larg|bigg|high)er than",
    # As in "300000 input tokens which is more than the allowed 262144"
    r"more (?:\w{1,20} ){0,3}than",
    r"surpass",
    r"overflow",
    r"oversize",
    r"beyond",
    r"(?:over|above|past) (?:the|limit|max|\d)",
    r"out of context",
    r"ran out of",
    r"no (?:more )?room",
    r"shorten",
    r"truncate",
    r"shorter (?:prompt|input|conversation|message|context|chat|text)",
    # Rules. Text Generation Inference: "`inputs` must have less than 8193 tokens"
    r"(?:must|should|has to|have to|needs? to|can ?not|can't|may not|only) .{0,40}"
    r"(?:less|fewer|smaller|shorter|lower|below|under|at most|up to|maximum|greater|larger|longer|more|fit|<|≤)",
    # As in "Prompt length must be between 1 and 262144"
    r"(?:must|should|has to|have to) be (?:between|within|in (?:the range|\(|\[|\d))",
    # As in "prompt length 300000 out of range"
    r"length .{0,20}out of (?:the )?range",
    # As in "At most 262144 tokens are allowed in the prompt"
    r"at most [\d,]{4,12} (?:\w{1,20} )?tokens",
    # Alibaba Cloud, as in "Range of input length should be [1, 129024]"
    r"length should be \[",
    r"(?:does not|doesn't|do not|don't|not|won't) (?:\w{1,20} ){0,2}fit",
    # Google, as in "the input token count is 2000000 but model only supports up to 1048576"
    r"only (?:supports?|serves?|accepts?|takes?|handles?)\b",
    r"supports? (?:only|at most|up to)",
    # As in "The window is smaller than the prompt"
    r"(?:window|context|limit) .{0,20}smaller than",
    r"this long\b",
    r"of this (?:length|size)",
    # As in "No endpoints found that can handle the requested context length", "no provider with sufficient context"
    r"(?:can|that) handle the requested context",
    r"\bno (?:\w{1,20} ){1,4}(?:enough|sufficient|adequate) context",
    r"smaller context",
    # As in "cannot process a prompt of 300000 tokens"
    r"(?:can ?not|can't|unable to) \w{1,20} .{0,20}(?:prompt|input|context)s? of \d",
    # As in "This endpoint is limited to 131072 tokens of context"
    r"limited to .{0,20}context",
    r"requires a context of \d",
    # As in "No endpoint supports a prompt of 300000 tokens"
    r"no \w{1,20} (?:supports?|can \w{1,20}) .{0,20}\d",
    # As in "unsupported length"
    r"(?:un|not )supported (?:\w{1,20} )?length",
    r"length (?:\w{1,20} )?(?:is|are) not supported",
    # As in "Input of 300000 tokens is not supported by this model"
    r"\d{3} (?:tokens )?(?:is|are) not supported",
    r"reduce",
    # As in "the prompt has a length of 200000 > 131072"
    r"[\w)] [>≥]=? \w",
    # A limit that was reached, as in "context limit reached", "The chat has reached its maximum length"
    r"(?:context|conversation|chat|input|prompt|sequence|history|length|window)[^.]{0,40}"
    r"\b(?:(?:was|has been|is|been) hit|reached|used up|full)\b",
    r"\b(?:hit|reached)\b.{0,20}\b(?:context|conversation|chat|input|prompt|sequence|history|length|window)",
    r"context .{0,20}\bhit\b",
    # Too little, as in "The model's context window (131072) is too small for this request", "Not enough context"
    r"too (?:small|short) for",
    r"not enough",
    r"insufficient (?:context|length|window)",
    r"(?:context|length|window) (?:\w{1,20} ){0,2}insufficient",
    # A limit and a larger amount, without a word for the excess, as in "Requested 9000 but it has only 8192"
    rf"\d.{{0,80}}\b(?:{_LIMIT_AND_AMOUNT})\b.{{0,80}}?\d",
)

# ----------------------------------------------------------------------------------------------------------------------
# English: the message names a limit and a larger amount: "Maximum tokens: 262144. Requested: 300000."

LIMIT = lazy_any_of(
    r"\b(?:max|maximum|limit|limited|support|supports|supported|allow|allows|allowed|capacity|context|window|available"
    r"|accepts|serves|up to|at most|(?:must|should) be|model len)\b",
    # As in "the model takes 262144" and "ceiling 262144"
    r"\b(?:takes|ceiling)\W{1,3}(?:(?:is|of|only|at most|up to) )?\d",
)
AMOUNT = lazy_any_of(
    # Two groups: the digits, with or without commas, and the "k" of thousands. Numbers behind a hyphen are parts of
    # names, as in "gpt-4o-2024-08-06", and those before one of dates.
    r"(?<![\w.-])(\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(k\b)?(?!-\d\d-)"
)

# ----------------------------------------------------------------------------------------------------------------------
# English: the sentence says that a length is exceeded, and nothing else: "Maximum length exceeded."

TOO_LONG = lazy_any_of(
    r"length\b.*exceed",
    r"exceed.*length\b",
    r"(?:request|content|text|length) .{0,20}too long",
    r"length limit",
)
ONLY_LENGTH = lazy_any_of(
    r"(?:(?:the|your|this|an?|request|content|text|total|max|maximum|allowed|permitted|size|model|tokens?|limits?|length"
    r"|error|upstream|of|for|is|was|has|been|by|you|sent|kimi|exceeds?|exceeded|exceeding|too|long|large|bad|invalid)\b"
    r"[\s\d:;,.()'\"`<>=]*){1,30}"
)
"""A whole sentence without a subject, or whose subject is the request."""
TRY_AGAIN = lazy_any_of(r"\b(?:please )?try again\b")

# ----------------------------------------------------------------------------------------------------------------------
# English: what a sentence is about, when it is not the prompt.

NOT_THE_PROMPT = lazy_any_of(
    # Credentials
    r"(?:access|auth\w*|session|bearer|api|refresh|csrf|security|invalid|jwt) tokens?\b",
    r"\bapi key\b",
    r"queue",
    # A schema, whose property may have any name: OpenAI, as in "Invalid schema for function 'f': In context=(...)";
    # Moonshot, as in "is not a valid moonshot flavored json schema, details: <At path 'properties.prompt'...>"
    r"\b(?:in)?valid (?:\w{1,20} ){0,3}schema\b",
    # Tokens of other fields
    r"logit bias",
    r"type ids",
    r"image tokens",
    # The minimum length of a prompt that is cached
    r"\bcaching\b",
    r"cached content",
    r"cache size",
    # A minimum
    r"(?:more|greater|larger|longer) than (?:0|1|zero)\b",
    # A credential, as in "Your token exceeds its allowed scope"
    r"\b(?:your|this) token (?:exceed|is|has|was)",
    # The range of max_tokens
    r"(?:maximum value|valid range|range) (?:for|of) `?max ",
)
"""Words that show that the sentence is about something else."""
OTHER_SUBJECT = lazy_any_of(
    r"(?<![a-z])(?:image|file|audio|video|pdf|attachment|url|tools?|function|name|description|stop|schema|metadata|header|id"
    r"|user|logprobs|embedding|batch|body|key)s?\b",
    r"tool call",
    r"temperature",
    r"top [kp]\b",
)
"""Subjects other than the prompt. `TEXT_LENGTH` beside them shows that the prompt is meant after all."""
TEXT_LENGTH = lazy_any_of(r"token", r"context", r"max message", r"sequence length", r"input ids")
OUTPUT_LIMIT = lazy_any_of(
    r"max (?:completion |new |output )?tokens",
    r"output (?:token )?limit",
    r"max(?:imum)? (?:\w+ )?tokens you",
    r"(?:output|completion|new|generated|thinking|reasoning) tokens",
    r"\b(?:answer|reply|response|completion)\b",
)
"""Words about the length of the answer. They are removed before the search for `PROMPT`."""
PROMPT = lazy_any_of(
    r"context",
    r"prompt",
    r"input",
    r"messages?\b",
    r"conversation",
    r"sequence",
    r"seq ?len",
    r"chat\b",
    r"history",
)

# ----------------------------------------------------------------------------------------------------------------------
# Other languages. Providers and gateways translate messages, or write them in their own language.

CHINESE = lazy_any_of(
    # Input, prompt, context, message, conversation, text, content, characters, or model: exceeds, too long, more than,
    # full, or reached the limit; the context is not sufficient
    r"(?:输入|提示词?|上下文|消息|对话|会话|文本|内容|字符|模型|prompt|tokens?).{0,30}"
    r"(?:超出|超过|超长|超限|超了|过长|太长|大于|多于|已满|(?:达到|到达|已达).{0,4}(?:上限|限制))",
    r"上下文.{0,10}(?:不足|不够)",
    # Please shorten the input, prompt, conversation, message, text, or content
    r"请缩短(?:输入|提示|对话|消息|文本|内容)",
    # Exceeds the context, or the length
    r"(?:超出|超过).{0,20}(?:上下文|长度)",
    # The maximum context, length, or input is N; the input, or request
    r"最大(?:上下文|长度|输入).{0,20}\d.{0,20}(?:输入|请求)",
)
CHINESE_OTHERS = lazy_any_of(
    # Output, reply, generation, picture, image, file, audio, video, attachment, name, tool, function, description,
    # parameter, title, password, concurrency, review
    r"(?:输出|回复|生成|图片|图像|文件|音频|视频|附件|名称|工具|函数|描述|参数|标题|密码|并发|审核).{0,20}",
    r"max tokens.{0,4}(?=超)",
)
"""Other subjects and the text after them, which is removed before the search for `CHINESE`."""

FOREIGN_INPUT = lazy_any_of(
    # Input, prompt, context, tokens: Japanese and Korean
    r"入力|プロンプト|コンテキスト|トークン",
    r"입력|프롬프트|컨텍스트|토큰",
    # German
    r"\beingabe|\bkontext|\bnachrichten",
    # French; French and Spanish; French
    r"\bentrée",
    r"\bcontext[eo]",
    r"\bconversation",
    # Spanish and Portuguese
    r"\bentrada|\bconversa",
    # Italian
    r"\bcontesto|\bconversazione",
    # French
    r"\binvite\b|\bjetons",
    # Words that many languages have
    r"\bprompt|\btokens?\b",
    # Russian
    r"ввод|промпт|контекст|токен|диалог|длинный запрос|запрос слишком длинн",
)
FOREIGN_EXCESS = lazy_any_of(
    # Too long, too many, exceeds: Japanese and Korean
    r"長すぎ|多すぎ|超え|超過",
    r"너무 ?(?:깁|길|긴|많)|초과",
    # German
    r"zu lang|zu viele|überschr",
    # French
    r"trop long|dépass",
    # Spanish; Portuguese and Spanish; Spanish and Italian
    r"demasiado larg",
    r"excede",
    r"\bsuper[ao]n?\b",
    r"sobrepasa",
    # Portuguese
    r"(?:muito|demasiado) long",
    # Italian
    r"troppo lung",
    # Russian
    r"слишком длинн|превы[шс]",
)

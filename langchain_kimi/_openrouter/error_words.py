"""The words by which messages of hosts report a flagged input, an exhausted key and an unknown model.

Each line is one wording, with the provider or server that uses it where that is known. The messages themselves are in
`tests/openrouter/failure_cases.py`.
"""

import re

from langchain_kimi._patterns import lazy_any_of

MODERATION_TYPES = lazy_any_of(
    # OpenRouter
    r"content_policy_violation",
    r"refusal",
    # Azure and Moonshot
    r"content_filter",
    # Alibaba Cloud: DataInspectionFailed and data_inspection_failed
    r"data_?inspection_?failed",
    # Azure
    r"ResponsibleAIPolicyViolation",
    # Others, as in sensitive_content
    r"sensitive_\w+",
    r"prompt_blocked",
    # Google, in capital letters
    r"safety",
    # OpenAI and others: moderation_blocked, content_moderation
    r"(?:\w*[._])?moderation\w*",
    r"\w*_moderation",
    r"(?:safety|policy)_?(?:error|violation)",
)
"""The types and codes of errors for flagged input."""

MODERATION_WORDS = lazy_any_of(
    # Moonshot, as in "The request was rejected because it was considered high risk"
    r"considered high risk",
    # DeepSeek, as in "Content Exists Risk"
    r"content (is high|exists) risk",
    # Azure, as in "triggering Azure OpenAI's content management policy"
    r"content management policy",
    # Alibaba Cloud, as in "Input data may contain inappropriate content."
    r"inappropriate content",
    # xAI, as in "Content violates usage guidelines."
    r"content violates",
    # OpenAI, as in "violates our usage policies", "rejected as a result of our safety system"
    r"violates? our usage polic",
    r"rejected (by|as a result of) (the|our) (safety|content|moderation)",
    # A filter by its owner's name: "blocked by Example's content filter"
    r"(flagged|blocked|filtered) (by|due to) (the |our )?(\w{1,40}'s )?(safety|content|moderation)",
    # A verdict beside its subject, which comes after or before it
    r"(unsafe|toxic|harmful|offensive|prohibited|disallowed|sensitive) "
    r"(content|input|prompt|text|words?|material|information)\b",
    r"\b(content|input|prompt|request|response|message|output|text)s?\b.{0,40}"
    r"\b(unsafe|toxic|harmful|offensive|self-harm|(flagged|filtered)\b(?! parameter))",
    # MiniMax, as in "input new_sensitive"
    r"(content|input|prompt|output|text) (is |was )?(new_)?sensitive\b",
    # A policy or a filter. A message about a parameter with such a name is something else.
    r"violat\w+ .{0,40}(polic|terms of (use|service)|guidelines)",
    r"(against|breaks|breach(es)?) (our|the|its) .{0,30}(polic|content rules|terms of (use|service)|guidelines)",
    r"content polic",
    r"(?<!parameter: )(?<!parameter: ')(?<!parameter ')content[ _]?filter(?! parameter)",
    r"safety (filter|reason|system|policy|check)",
    r"(content|prompt|input) (was )?blocked",
    r"prohibited use",
    r"\bnsfw\b",
    # Google: HARM_CATEGORY_... and blockReason
    r"harm[ _]category",
    r"blockReason",
    r"(has been|was) flagged (for|as) ",
    r"content moderation",
    r"moderation (failed|check)",
    # Shields against attacks
    r"prompt[ _]injection (was )?detected",
    r"jailbreak (attempt )?(was )?detected",
    r"risk control",
    # Chinese: sensitive, against the rules, forbidden, against the law, not compliant, unsafe content, risk control,
    # safety policy, usage policy, content safety, violates the law, rules or policy, did not pass the review
    r"敏感|违规|违禁|违法|不合规|不安全内容|风控|安全策略|使用政策|内容安全",
    r"违反.{0,10}(法|规|政策|条款)",
    r"审核(未|不)(能)?通过",
)
"""The messages for flagged input."""

EXHAUSTED_KEY = lazy_any_of(
    # OpenRouter, as in "Key limit exceeded (total limit)."
    r"key limit exceeded",
    # Moonshot, DeepSeek and others; OpenAI: the code of the error
    r"insufficient[ _](credits?|(account )?balance|funds|quota)",
    # Moonshot: the type of the error. Its message is also that of Google for a limit per minute.
    r"exceeded_current_quota",
    # Kimi Code, as in "You've reached your usage limit for this billing cycle"
    r"usage limit for this billing cycle|monthly usage limit",
    r"balance (is|was) (insufficient|not enough|too low|exhausted|negative|used up)",
    # Anthropic, as in "Your credit balance is too low to access the Anthropic API."
    r"credit balance",
    r"credit limit (was )?(exceeded|reached)",
    r"(out of|no|used all( available)?|not enough|run out of) credits?\b",
    # xAI, as in "reached its monthly spending limit"; LiteLLM, as in "ExceededBudget: User over budget"
    r"(spend(ing)? limit|over budget|exceeded ?budget|budget (has been )?exceeded)",
    # Alibaba Cloud
    r"\barrearage\b|account is in good standing",
    # Chinese: balance, quota or credit, and insufficient or used up; in arrears
    r"(余额|额度).{0,6}(不足|不够|用完|已用尽|耗尽)|欠费",
)
"""The messages for a key or an account whose limit or balance is used up."""

UNKNOWN_MODEL = lazy_any_of(
    # OpenRouter, as in "moonshotai/kimi-k9 is not a valid model ID"
    r"is not a valid model",
    # OpenAI, Moonshot and vLLM, as in "The model `kimi-k9` does not exist". "The model parameter" is something else.
    r"model (?!param).{0,200}(does not exist|doesn't exist|not found|not exist)",
    # LiteLLM, as in "Invalid model name passed in model=kimi-k9"
    r"invalid model(:| (name|id|slug|'))",
    r"(unknown|unsupported|unrecognized|no such) model",
    r"not a supported model",
    # OpenAI: the code of the error
    r"model_not_(found|supported)",
    # Azure: the code of the error, and its message
    r"DeploymentNotFound",
    r"deployment for this resource does not exist",
    # Amazon Bedrock, as in "The provided model identifier is invalid."
    r"provided model identifier",
    # Together, as in "Unable to access model kimi-k9."
    r"unable to access (the )?model",
    # LiteLLM, as in "LLM Provider NOT provided. You passed model=kimi-k9"
    r"llm provider not provided",
    r"unknown provider for model",
    # DeepSeek, as in "The supported API model names are deepseek-chat, but you passed kimi-k9."
    r"supported (api )?model names are",
    r"model .{0,200}(is|has been|was) (deprecated|decommissioned|discontinued|retired|not available)",
    r"model \S{1,200} is (not supported\.?$|unknown|no longer|disabled|offline|not (currently )?(loaded|served))",
    r"(not found|(not|n't) find) (the )?model",
    # OpenRouter, as in "No endpoints found for moonshotai/kimi-k9."
    r"no (endpoints?|deployments?) found for",
    # LiteLLM, as in "no healthy deployments for this model"
    r"no healthy deployments? for",
    r"no model (named|called)",
    # Chinese: model ... does not exist, was not found, cannot be found, was taken offline, is out of use
    r"模型.{0,60}(不存在|未找到|找不到|已下线|已停用)",
    flags=re.IGNORECASE | re.MULTILINE,
)
"""The messages for a model that the server does not have, or has no longer."""

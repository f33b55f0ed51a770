"""The words by which messages of hosts report a flagged input, an exhausted key and an unknown model."""

import re

MODERATION_TYPES = re.compile(
    # OpenRouter's types, and the codes of Azure and Moonshot, of Alibaba Cloud, OpenAI, Google and others.
    r"content_policy_violation|refusal|content_filter|data_?inspection_?failed|ResponsibleAIPolicyViolation"
    r"|sensitive_\w+|prompt_blocked|safety|(?:\w*[._])?moderation\w*|\w*_moderation|(?:safety|policy)_?(?:error|violation)",
    re.IGNORECASE,
)
"""The types and codes of errors for flagged input."""
MODERATION_WORDS = re.compile(
    # Moonshot; DeepSeek; Azure; Alibaba Cloud; xAI; OpenAI
    r"considered high risk|content (is high|exists) risk|content management policy|inappropriate content"
    r"|content violates|violates? our usage polic"
    r"|rejected (by|as a result of) (the|our) (safety|content|moderation)"
    r"|(flagged|blocked|filtered) (by|due to) (the |our )?(\w{1,40}'s )?(safety|content|moderation)"
    # Others: a verdict beside its subject, a policy, a filter
    r"|(unsafe|toxic|harmful|offensive|prohibited|sensitive) (content|input|prompt|text|words?|material|information)\b"
    r"|\b(content|input|prompt|request|response|message|output|text)s?\b.{0,40}"
    r"\b(unsafe|toxic|harmful|offensive|self-harm|(flagged|filtered)\b(?! parameter))"
    r"|(content|input|prompt|output|text) (is |was )?(new_)?sensitive\b"
    r"|violat\w+ .{0,40}polic|content polic|content[ _]?filter(?! parameter)|safety (filter|reason|system|policy|check)"
    r"|(content|prompt|input) (was )?blocked|prohibited use"
    r"|harm[ _]category|blockReason|(has been|was) flagged (for|as) |content moderation"
    r"|moderation (failed|check)|prompt injection (was )?detected|jailbreak (attempt )?(was )?detected|risk control"
    r"|敏感|违规|违禁|违法|不合规|不安全内容|风控|安全策略|使用政策|审核(未|不)(能)?通过",
    re.IGNORECASE,
)
EXHAUSTED_KEY = re.compile(r"key limit exceeded|insufficient (credits|balance|funds|quota)", re.IGNORECASE)
UNKNOWN_MODEL = re.compile(
    # OpenRouter; OpenAI, Moonshot and vLLM; LiteLLM; others
    r"is not a valid model|model (?!param).{0,200}(does not exist|doesn't exist|not found|not exist)"
    r"|invalid model(:| (name|id|slug|'))|(unknown|unsupported|unrecognized|no such) model|not a supported model"
    r"|model_not_found|model .{0,200}(is|has been|was) (deprecated|decommissioned|discontinued|retired|not available)"
    r"|model \S{1,200} is (not supported\.?$|unknown|no longer|not (currently )?loaded)"
    r"|(not found|(not|n't) find) (the )?model|no (endpoints?|deployments?) found for|no healthy deployments? for"
    r"|no model (named|called)"
    r"|模型.{0,60}(不存在|未找到|找不到|已下线|已停用)",
    re.IGNORECASE | re.MULTILINE,
)

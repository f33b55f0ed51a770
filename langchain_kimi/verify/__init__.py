"""Measure how well the hosts of a model serve your own tools, before and after the repairs of this package.

The method is that of Moonshot's K2 Vendor Verifier (https://github.com/MoonshotAI/K2-Vendor-Verifier): each host gets
the same requests, and two questions are answered. Is there a call if one is expected, and do its arguments fit the
schema of the tool? The comparison of prompt tokens comes from its successor
(https://github.com/MoonshotAI/Kimi-Vendor-Verifier).
"""

from langchain_kimi.verify.cases import Case, load_cases, packaged_cases
from langchain_kimi.verify.report import HostReport, Rate, VerifyReport
from langchain_kimi.verify.running import averify_hosts, verify_hosts

__all__ = [
    "Case",
    "HostReport",
    "Rate",
    "VerifyReport",
    "averify_hosts",
    "load_cases",
    "packaged_cases",
    "verify_hosts",
]

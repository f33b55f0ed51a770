import pytest

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.warning import warn_user
from tests.conftest import KEY
from tests.structured.cases import Person


def test_the_warning_points_at_the_user_s_line() -> None:
    with pytest.warns(UserWarning, match="^careful$") as direct:
        warn_user("careful")
    model = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2-thinking")
    with pytest.warns(UserWarning, match="kimi-k2-thinking reasons") as bound:
        model.bind(temperature=1).with_structured_output(Person, method="function_calling")
    assert {warning.filename for warning in [*direct, *bound]} == {__file__}

import pytest

from langchain_kimi._openrouter.parameters.fields import ParameterFields
from langchain_kimi._openrouter.parameters.plugin import GenericPlugin, Plugin, plugin
from langchain_kimi._openrouter.parameters.plugins import WebPlugin


def test_a_new_plugin_is_sent_unchanged() -> None:
    value = {"id": "time-travel", "year": 1900, "nested": {"none": None}}
    built = plugin(value)
    assert isinstance(built, GenericPlugin)
    assert built.to_wire() == value
    assert len({built, plugin(value)}) == 1


def test_a_generic_plugin_may_have_any_id() -> None:
    insisted: Plugin = GenericPlugin.model_validate({"id": "modertion", "level": 3})
    assert plugin(insisted).to_wire() == {"id": "modertion", "level": 3}


def test_a_plugin_is_serialized_with_the_fields_of_its_class() -> None:
    fields = ParameterFields(plugins=[WebPlugin(max_results=3)])

    assert fields.model_dump(exclude_none=True)["plugins"] == [{"id": "web", "max_results": 3}]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("web", "must be a plugin or a dict, got 'web'"),
        ({"enabled": True}, "must be a dict with an 'id', such as web, web-fetch"),
        ({"id": "modertion"}, "got 'modertion'; did you mean 'moderation'?"),
    ],
)
def test_a_dict_without_a_valid_id_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=r"^must be ") as caught:
        plugin(value)
    assert message in str(caught.value)

"""A field's settings with a mistake are refused in one sentence."""

import pytest

from simulators.field.settings import FieldFault, load_field_settings


@pytest.mark.parametrize(
    "content",
    [b"\x95\xff\x00", b"a = " + b"[" * 5000 + b"]" * 5000, b"a = "],
    ids=["no text", "nested without end", "torn"],
)
def test_what_is_no_toml_is_a_fault(tmp_path, content):
    path = tmp_path / "field.toml"
    path.write_bytes(content)
    with pytest.raises(FieldFault, match=r"field\.toml"):
        load_field_settings(path)

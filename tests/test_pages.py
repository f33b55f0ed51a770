"""Pages are read as they are shown."""

from pathlib import Path

import pytest

from tests import pages

TEXT = """# A page

```python
number = 1
```

Text.

    ```python
    number += 1
    ```

```diff
-number = 0
+number += 10
 total = number
```

```
not Python
```
"""


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[pages.Block]:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    return pages.blocks(path)


def test_python_and_new_lines_of_comparisons_are_code(blocks: list[pages.Block]) -> None:
    namespace: dict[str, int] = {}
    for block in blocks:
        block.run(namespace)
    assert (len(blocks), namespace["total"]) == (3, 12)


def test_an_error_names_the_line_of_the_page(blocks: list[pages.Block]) -> None:
    broken = blocks[2]._replace(code="\n1 / 0\n")
    with pytest.raises(ZeroDivisionError) as error:
        broken.run({})
    assert error.traceback[-1].lineno + 1 == TEXT.splitlines().index("+number += 10") + 1

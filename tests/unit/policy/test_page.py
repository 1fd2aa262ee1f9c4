"""What the owner's page says can be written is read."""

import re
from pathlib import Path

from groundskeeper.agent.documents import read_floor
from groundskeeper.model import Autonomy

PAGE = Path(__file__).parents[3] / "docs" / "policy.md"


def test_the_floor_on_the_page_is_right() -> None:
    (written,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    floor = read_floor(written.encode(), "docs/policy.md")
    assert floor.autonomy is Autonomy.APPROVE
    assert floor.windows[0].days == {4, 5}

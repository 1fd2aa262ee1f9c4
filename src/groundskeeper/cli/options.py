"""Options that several commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
Plain = Annotated[bool, typer.Option("--plain", help="Lines only, for screen readers and logs.")]

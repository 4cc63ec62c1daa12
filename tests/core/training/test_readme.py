import re
from pathlib import Path

from fer_core.training.command_line import main

README = Path(__file__).parents[3] / "README.md"


def test_the_readmes_table_is_what_the_command_prints(capsys):
    assert main(["summary", "--markdown"]) == 0
    printed = capsys.readouterr().out.strip()
    shown = re.search(r"<!-- summary -->\n(.*?)\n<!-- /summary -->", README.read_text(), re.DOTALL)
    assert shown is not None
    assert shown.group(1) == printed

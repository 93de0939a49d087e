"""What no reviewer should have to look for: sizes of modules and functions, names, and what each process imports.

import-linter checks the static graph; the subprocess tests here prove what is really loaded.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "gemma_tui"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "manager"}

HEAVY = {"mlx", "mlx_lm", "transformers", "numpy", "PIL", "av", "sounddevice"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= MAX_MODULE_LINES
    assert ast.get_docstring(tree), "a module opens with what it does"
    assert path.stem not in VAGUE_NAMES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(("Manager", "Helper", "Util", "Utils"))


def loaded_after(statement: str) -> set[str]:
    """Top-level packages in `sys.modules` of a fresh interpreter that ran `statement`."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "statement",
    [
        "import gemma_tui.tui.app, gemma_tui.tui.screens.chat",
        "import gemma_tui.chat, gemma_tui.engine.client, gemma_tui.storage.conversations",
        "import gemma_tui.cli.main, gemma_tui.cli.ask, gemma_tui.cli.app",
        "import gemma_tui.tui.screens.record, gemma_tui.cli.record, gemma_tui.microphone.client",
        "import gemma_tui.microphone.worker",
        "import gemma_tui.hub.download, gemma_tui.cli.models_pull, huggingface_hub.constants",
        "import gemma_tui.cli.models_list, gemma_tui.cli.models_info, gemma_tui.cli.models_import",
        "import gemma_tui.cli.history_place, gemma_tui.cli.history_output, gemma_tui.cli.history_files",
    ],
)
def test_the_ui_process_loads_no_arrays_no_images_no_models(statement: str) -> None:
    assert not loaded_after(statement) & HEAVY


def test_the_command_line_loads_no_textual_until_the_app_runs() -> None:
    assert "textual" not in loaded_after(
        "import gemma_tui.cli.main, gemma_tui.cli.ask, gemma_tui.cli.history_files, gemma_tui.cli.plain,"
        " gemma_tui.cli.record"
    )


def test_what_downloads_is_loaded_by_a_download_only() -> None:
    """First paint does not wait for it, and nothing that is not there can connect."""
    statement = "import gemma_tui.cli.main, gemma_tui.cli.commands, gemma_tui.cli.app, gemma_tui.tui.app, gemma_tui.tui.screens.chat"
    assert not loaded_after(statement) & {"httpx2", "huggingface_hub"}


def test_nothing_that_speaks_http_is_loaded_before_a_server_is_asked() -> None:
    """Neither by the start of the app, nor by a file that names servers, nor by an engine."""
    loaded = loaded_after(
        "import gemma_tui.tui.app, gemma_tui.cli.app, gemma_tui.cli.plain, gemma_tui.cli.ask\n"
        "from gemma_tui.cli.engine_place import engine_of\n"
        "from gemma_tui.settings.reading import read_toml\n"
        "from gemma_tui.hub.remote_models import remote_models\n"
        "layer = read_toml('[servers.a]\\nurl = \"http://host\"', 'x')\n"
        "assert remote_models(layer.servers.values())"
    )
    assert not loaded & {"httpx2", "httpcore2", "h11"}


def test_the_engine_process_loads_no_textual() -> None:
    statement = (
        "import gemma_tui.runtime.worker, gemma_tui.runtime.generate, gemma_tui.runtime.loader"
    )
    assert "textual" not in loaded_after(statement)


def test_the_engine_answers_before_mlx_is_imported() -> None:
    """Media work must not wait for the model's libraries."""
    assert not loaded_after("import gemma_tui.runtime.worker") & {"mlx", "mlx_lm", "transformers"}


def test_the_networks_load_no_transformers() -> None:
    """It would cost every start of the engine three seconds."""
    loaded = loaded_after("import gemma_tui.runtime.inference")
    assert "mlx_lm" in loaded
    assert "transformers" not in loaded


@pytest.mark.parametrize(
    "path", [path for path in MODULES if '__name__ == "__main__"' in path.read_text()], ids=name_of
)
def test_every_process_of_ours_has_a_guard_of_the_network(path: Path) -> None:
    """Whatever can be run installs one in its `main`, as the command line does."""
    start = PACKAGE / "cli" / "main.py" if path.name == "__main__.py" else path
    tree = ast.parse(start.read_text(encoding="utf-8"))
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "install_guard" in called


def test_the_version_costs_nothing() -> None:
    assert not loaded_after("import gemma_tui") & {
        "textual",
        "rich",
        "typer",
        "platformdirs",
        *HEAVY,
    }

"""`gemma-tui config`: where the settings are, and what holds."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import typer

from gemma_tui.paths import default_paths
from gemma_tui.sanitize import sanitize_line
from gemma_tui.server_name import model_setting
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.settings.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gemma_tui.paths import Paths
    from gemma_tui.settings.setting import Value


def config_app() -> typer.Typer:
    """The commands below `gemma-tui config`."""
    app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
    app.callback()(_group)
    app.command()(path)
    app.command()(show)
    app.command()(keys)
    return app


def _group() -> None:
    """Look at the settings."""


def path(context: typer.Context) -> None:
    """Print the path of the settings file, whether or not it is there yet."""
    context.obj.action = partial(print_path, default_paths())


def show(context: typer.Context) -> None:
    """Print every setting as TOML, each with where its value comes from."""
    context.obj.action = partial(print_settings, default_paths(), context.obj.model)


def keys(context: typer.Context) -> None:
    """Print what can have another key. Each is a line for the table [keys] of the file."""
    context.obj.action = print_keys


def print_keys() -> int:
    """Print the ids and default keys of all bindings; returns the exit code."""
    from gemma_tui.tui.keys import key_groups  # noqa: PLC0415  # loads the screens

    sys.stdout.write("[keys]\n")
    for group in key_groups():
        sys.stdout.write(f"\n# {group.title}\n")
        for binding in group.bindings:
            if binding.id is not None:
                line = f'"{binding.id}" = {_toml(binding.key)}  # {binding.description}\n'
                sys.stdout.write(line)
    sys.stdout.flush()
    return 0


def print_path(paths: Paths) -> int:
    """Print where the settings file is; returns the exit code."""
    sys.stdout.write(f"{paths.settings}\n")
    sys.stdout.flush()
    return 0


def print_settings(paths: Paths, model: Path | None) -> int:
    """Print what holds, on stdout, and what is wrong, on stderr; returns the exit code.

    Args:
        paths: Where the settings file is.
        model: What `--model` says.
    """
    configuration = configuration_of(paths, {"model": model_setting(model) if model else None})
    resolved = configuration.resolve()
    section = ""
    for setting in SCHEMA.values():
        if setting.about.section != section:
            gap = "\n" if section else ""
            sys.stdout.write(f"{gap}[{setting.about.section}]\n")
            section = setting.about.section
        value, origin = resolved.value(setting.key), resolved.origins[setting.key]
        line = f"# {setting.key}: {setting.about.unset}"
        if value is not None:
            line = f"{setting.key} = {sanitize_line(_toml(value))}"
        sys.stdout.write(f"{line}  # {origin}\n")
    sys.stdout.flush()
    return 0


def configuration_of(paths: Paths, given: Mapping[str, Value]) -> Configuration:
    """The settings of a command; what is wrong with them is said on stderr.

    Args:
        paths: Where the settings file is.
        given: Values by the options of the command; None is what was left out.
    """
    command_line = {key: value for key, value in given.items() if value is not None}
    configuration = Configuration(SettingsFile(paths.settings), os.environ, command_line)
    for problem in configuration.problems:
        sys.stderr.write(f"gemma-tui: {sanitize_line(problem)}\n")
    return configuration


def _toml(value: object) -> str:
    import tomlkit  # noqa: PLC0415  # nothing else of the command line needs it

    return str(tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string())

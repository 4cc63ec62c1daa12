"""The command line of ``train.py``: one subcommand for each thing that can be asked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fer_core.arguments import OneLineParser
from fer_core.config import PRESETS, FERConfig
from fer_core.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 when done, 1 for what a person can mend, 2 for a wrong argument."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="train.py", description="Train and inspect the network.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    summary = commands.add_parser("summary", help="each part's parameters and output shape")
    summary.add_argument("--preset", choices=PRESETS, default="compact")
    summary.add_argument("--markdown", action="store_true", help="all presets as a table")
    summary.set_defaults(run=_summary)

    convert = commands.add_parser(
        "convert-nemo", help="make a folder for audio.upstream from NVIDIA's .nemo file"
    )
    convert.add_argument("file", type=Path, metavar="FILE")
    convert.add_argument("folder", type=Path, metavar="FOLDER")
    convert.set_defaults(run=_convert_nemo)
    return parser


# The commands import what they need themselves: torch would make --help wait for seconds.


def _summary(options: argparse.Namespace) -> None:
    from fer_core.training.summary import as_markdown, as_text

    print(as_markdown() if options.markdown else as_text(FERConfig.preset(options.preset)))


def _convert_nemo(options: argparse.Namespace) -> None:
    from fer_core.model.nemo import convert_nemo

    config = convert_nemo(options.file, options.folder)
    print(
        f"Wrote {options.folder}. In the configuration's audio section set: "
        f'upstream "{options.folder}", batch_norm true, width {config.hidden_size}, '
        f"layers {config.num_hidden_layers}, heads {config.num_attention_heads}, "
        f"conv_kernel {config.conv_kernel_size}, "
        f"subsampling_channels {config.subsampling_conv_channels}, "
        f"scale_input {str(config.scale_input).lower()}."
    )

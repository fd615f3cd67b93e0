"""The figures for people and for programs."""

import json
import pathlib


def print_table(figures: dict):
    width = max(map(len, figures))
    print(f"| {'figure':{width}} | {'value':>12} |")
    print(f"|-{'-' * width}-|-{'-' * 11}:|")
    for name, value in figures.items():
        print(f"| {name:{width}} | {value:12,.3f} |")


def write_json(figures: dict, file: str):
    pathlib.Path(file).write_text(
        json.dumps(figures, indent=2) + "\n", encoding="utf-8"
    )

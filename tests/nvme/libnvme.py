"""A C program made of libnvme: it works out numbers, and shows the SQEs that libnvme's own functions build.

libnvme hands every command to `nvme_submit_passthru`, which a program may replace; ours prints it.  The first 64
bytes of what it is handed are the SQE, except for the lengths of the buffers, which lie where PRP2 would.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tools.libnvme import SOURCES, find_compiler

_PROGRAM = """
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <nvme/ioctl.h>

#define ARGS(name, ...) \\
    &(struct nvme_##name##_args) {{ .args_size = sizeof(struct nvme_##name##_args), __VA_ARGS__ }}
#define SHOW(call) do {{ if (call) puts("libnvme refused it"); }} while (0)
#define AT(address) (void *)(uintptr_t)(address)

int nvme_submit_passthru(int fd, unsigned long request, struct nvme_passthru_cmd *cmd, __u32 *result)
{{
    unsigned char sqe[64];
    memcpy(sqe, cmd, sizeof(sqe));
    memset(sqe + offsetof(struct nvme_passthru_cmd, metadata_len), 0, 8);
    for (size_t at = 0; at < sizeof(sqe); at++)
        printf("%02x", sqe[at]);
    puts("");
    cmd->result = 0;
    return 0;
}}

int main(void)
{{
    __u32 ignored;
    (void)ignored;
{lines}
    return 0;
}}
"""
_FLAGS = ("-D_GNU_SOURCE", "-DHAVE_LITTLE_ENDIAN=1", "-DHAVE_TYPEOF=1", "-DHAVE_STATEMENT_EXPR=1")


def numbers(expressions: Iterable[str], folder: Path) -> dict[str, int]:
    """The values that C expressions have under libnvme's headers; `folder` is for the program."""
    asked = sorted(set(expressions))
    lines = [f'    printf("%llu\\n", (unsigned long long)({expression}));' for expression in asked]
    return dict(zip(asked, map(int, _run(lines, folder)), strict=True))


def commands(calls: Iterable[str], folder: Path) -> dict[str, bytes]:
    """The SQE that each call of one of libnvme's functions submits."""
    asked = sorted(set(calls))
    answers = _run([f"    SHOW({call});" for call in asked], folder)
    return dict(zip(asked, map(bytes.fromhex, answers), strict=True))


def offset(structure: str, member: str) -> str:
    """The expression for the first byte of a member."""
    return f"offsetof(struct {structure}, {member})"


def size(structure: str, member: str) -> str:
    """The expression for a member's bytes; of the whole structure if `member` is empty."""
    return f"sizeof(((struct {structure} *)0)->{member})" if member else f"sizeof(struct {structure})"


def _run(lines: list[str], folder: Path) -> list[str]:
    """The lines that the program prints."""
    compiler = find_compiler()
    assert compiler is not None
    program = folder / "program"
    (folder / "config.h").touch()
    program.with_suffix(".c").write_text(_PROGRAM.format(lines="\n".join(lines)), encoding="utf-8")
    places = [f"-I{place}" for place in (folder, SOURCES / "src", SOURCES, SOURCES / "ccan")]
    source = str(SOURCES / "src" / "nvme" / "ioctl.c")
    made = subprocess.run(
        [compiler, *_FLAGS, *places, str(program.with_suffix(".c")), source, "-o", str(program)],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, re.sub(r"^.*?error", "error", made.stderr, flags=re.DOTALL)
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()

"""Why a job failed, and what to change."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from notifyd.slurm.details.hint import Hint
from notifyd.slurm.details.hints import MOST, built_in, hints_for
from notifyd.slurm.details.words import FIGURES, Facts

GB = 1024.0**3


def failed(output: str) -> Facts:
    """Return a job that failed after it had printed this."""
    return Facts(state="FAILED", exit_code=1, signal=0, output=output)


def ended(state: str, **figures: float) -> Facts:
    """Return a job without output that ended so after two hours, unless told otherwise."""
    return Facts(state=state, figures={"elapsed_seconds": 7200, **figures})


OOM = ended("OUT_OF_MEMORY", memory_asked_bytes=4 * GB, memory_used_bytes=3.1 * GB)
OOM_UNSEEN = ended("OUT_OF_MEMORY", memory_asked_bytes=GB / 2)
OOM_KILL = "slurmstepd: error: Detected 1 oom_kill event in StepId=12.batch. Some of the step tasks"
MEMORY = {"memory_asked_bytes": 64 * GB, "memory_used_bytes": 3 * GB, "memory_percent": 4.7}
MUCH_MEMORY = ended("COMPLETED", **MEMORY)
MUCH_TIME = ended("COMPLETED", elapsed_percent=8.3, time_limit_seconds=86400)

OUTPUTS = r"""
== out_of_memory: may have been killed
slurmstepd: error: Detected 1 oom-kill event(s) in StepId=146.0 cgroup. Some of your processes
srun: error: n16: task 1: Killed
srun: error: n16: task 0: Out Of Memory
== out_of_memory: --mem
slurmstepd: error: Exceeded step memory limit at some point.
== out_of_memory: --mem
slurmstepd: error: StepId=3.0 exceeded memory limit (2200 > 2097), being killed
== out_of_memory: --mem
srun: error: n16: task 0: Out Of Memory
== timeout: A step
slurmstepd: error: *** STEP 12.0 ON n1 CANCELLED AT 2026-11-21T03:05:24 DUE TO TIME LIMIT ***
== gpu_memory: smaller batch
Traceback (most recent call last):
  File "train.py", line 88, in <module>
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total
== gpu_memory: smaller batch
XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8589934592 bytes.
== gpu_memory: smaller batch
ResourceExhaustedError: OOM when allocating tensor with shape[256,1024,1024]
== no_gpu: "No CUDA GPUs are available"
RuntimeError: No CUDA GPUs are available
== gpu_driver: does not fit
CUDA error: CUDA driver version is insufficient for CUDA runtime version
== nccl: NCCL_DEBUG=INFO
[rank3]:[E1121 03:05:24.11 ProcessGroupNCCL.cpp:616] Watchdog caught collective operation timeout:
== nccl: failed first
torch.distributed.DistBackendError: NCCL error in: NCCLUtils.hpp:275, unhandled
== gpu_error: "CUDA error: device-side assert triggered"
RuntimeError: CUDA error: device-side assert triggered
== java_memory: -Xmx
Exception in thread "main" java.lang.OutOfMemoryError: Java heap space
== memory_refused: "std::bad_alloc"
terminate called after throwing an instance of 'std::bad_alloc'
  what():  std::bad_alloc
== memory_refused: Unable to allocate 29.8 GiB
numpy._core._exceptions._ArrayMemoryError: Unable to allocate 29.8 GiB for an array
== memory_refused: MemoryError
Traceback:
MemoryError
== memory_refused: cannot allocate vector
Error: cannot allocate vector of size 9
== memory_refused: OutOfMemoryError()
ERROR: LoadError: OutOfMemoryError()
== dos_line_ends: dos2unix
bash: ./run.sh: /bin/bash^M: bad interpreter: No such file or directory
== dos_line_ends: dos2unix
/var/spool/slurmd/job12/slurm_script: line 4: $'\r': command not found
== dos_line_ends: dos2unix
env: ‘python3\r’: No such file or directory
== modules_not_found: ("GROMACS/9")
Lmod has detected the following error: The following module(s) are unknown: "GROMACS/9"

Please check the spelling or version number.
== modules_not_found: gcc/99
ERROR: Unable to locate a modulefile for 'gcc/99'
== modules_not_set_up: bash -l
/var/spool/slurmd/job9/slurm_script: line 3: module: command not found
== conda_not_set_up: source "$(conda info --base)/
CommandNotFoundError: Your shell has not been properly configured to use 'conda activate'.
== conda_not_set_up: before conda activate
CondaError: Run 'conda init' before 'conda activate'
== conda_environment: conda env list
EnvironmentNameNotFound: Could not find conda environment: torch
== python_module: ("No module named 'torch'")
Traceback (most recent call last):
  File "train.py", line 1, in <module>
    import torch
ModuleNotFoundError: No module named 'torch'
== library: ("libfftw3.so.3")
./sim: error while loading shared libraries: libfftw3.so.3: cannot open shared object file: No
== library: GLIBC_2.34
./sim: /lib64/libc.so.6: version `GLIBC_2.34' not found (required by ./sim)
== import_failed: cannot import name 'x'
ImportError: cannot import name 'x' from 'y' (/home/alice/y.py)
== command_not_found: "gmx"
/var/spool/slurmd/job12/slurm_script: line 7: gmx: command not found
== command_not_found: "sim"
slurmstepd: error: execve(): sim: No such file or directory
== not_executable: chmod +x
slurmstepd: error: execve(): /home/alice/run.py: Permission denied
== not_executable: cannot execute binary file
slurm_script: ./sim: cannot execute binary file: Exec format error
== script_syntax: near unexpected token `done'
slurm_script: line 9: syntax error near unexpected token `done'
== licence: --licenses
License checkout failed.
License Manager Error -4
Maximum number of users
== quota: quota
OSError: [Errno 122] Disk quota exceeded: '/home/alice/out.npy'
== no_space: /tmp
cp: error writing '/tmp/x': No space left on device
== file_locks: HDF5_USE_FILE_LOCKING
BlockingIOError: [Errno 11] Unable to open file (unable to lock file, errno = 11, error message
== file_system: Stale file handle
ls: cannot open directory: Stale file handle
== open_files: ulimit -n
OSError: [Errno 24] Too many open files: 'x'
== threads: OMP_NUM_THREADS
OpenBLAS blas_thread_init: pthread_create failed for thread 12 of 64
== port_taken: SLURM_JOB_ID
RuntimeError: bind to 0.0.0.0:29500 failed: EADDRINUSE: address in use
== no_network: login node
fatal: unable to access 'https://example.org/': Could not resolve host: x
== loss_is_nan: "Loss: nan"
Loss: nan, stopping training
== loss_is_nan: learning rate
Loss is nan, stopping training
== loss_is_nan: learning rate
{'loss': nan, 'epoch': 0.3}
== mpi_slots: --ntasks
There are not enough slots available in the system to satisfy the 8 slots
== bus_error: (bus error)
slurm_script: line 3: 512 Bus error   ./sim
== illegal_instruction: kind of CPU.
line 3: 51 Illegal instruction ./sim
== segfault: (segmentation fault)
srun: error: n1: task 0: Segmentation fault
== arithmetic: cannot be.
line 3: 51 Floating point exception ./sim
== killed: A process
slurm_script: line 5: 4711 Killed    python train.py
== permission_denied: "/data/x"
cat: /data/x: Permission denied
== permission_denied: '/data/x'
PermissionError: [Errno 13] Permission denied: '/data/x'
== no_such_file: "in.dat"
cat: in.dat: No such file or directory
== no_such_file: '/data/train.csv'
FileNotFoundError: [Errno 2] No such file or directory: '/data/train.csv'
== program_error: It ended with "ValueError: bad shape"
Traceback (most recent call last):
  File "a.py", line 1
ValueError: bad shape
== program_error: "AssertionError"
[rank0]: AssertionError
torch.distributed.elastic.errors.ChildFailedError:
== program_error: UndefVarError: `x` not defined
ERROR: LoadError: UndefVarError: `x` not defined
Stacktrace:
== program_error: End of file
Fortran runtime error: End of file
== program_error: object 'x'
Error in eval(expr) : object 'x' not found
== mpi_abort: MPI abort
MPI_ABORT was invoked on rank 3 in communicator MPI_COMM_WORLD
== mpi_abort: MPI abort
Abort(1) on node 0 (rank 0 in comm 0): application called MPI_Abort
"""

ENDS: list[tuple[str, str, Facts]] = [
    ("out_of_memory", "limit of 4 GB (seen in use, 3.1 GB). Ask for 6 GB with", OOM),
    ("out_of_memory", "limit of 512 MB. Ask for 1 GB with", OOM_UNSEEN),
    ("out_of_memory", "Ask for more", ended("OUT_OF_MEMORY")),
    ("out_of_memory", "results may be missing", Facts(state="FAILED", output=OOM_KILL)),
    ("hung", "time limit of 2 h", ended("TIMEOUT", cpu_percent=0.1, time_limit_seconds=7200)),
    ("timeout", "limit of 1 d 12 h", ended("TIMEOUT", time_limit_seconds=129600)),
    ("timeout", "save checkpoints", ended("TIMEOUT")),
    ("node_failed", "not your fault", ended("NODE_FAIL")),
    ("boot_failed", "did not boot", ended("BOOT_FAIL")),
    ("deadline", "--deadline", ended("DEADLINE")),
    ("preempted", "--requeue", ended("PREEMPTED")),
    ("output_not_opened", "--output", Facts(state="FAILED", exit_code=0, signal=53)),
    ("launch_failed", "not start it", Facts(state="FAILED", reason="JobLaunchFailure")),
    ("launch_failed", "not start it", Facts(state="CANCELLED", reason="launch_failed_requeued")),
    ("system_failed", "not your fault", Facts(state="FAILED", reason="SystemFailure")),
    ("command_not_found", "127", Facts(state="FAILED", exit_code=127)),
    ("not_executable", "126", Facts(state="FAILED", exit_code=126)),
    ("loss_is_nan", '"loss=nan"', Facts(state="FAILED", output="epoch 3 loss=nan lr=0.1")),
    ("bus_error", "(signal 7)", Facts(state="FAILED", exit_code=135)),
    ("illegal_instruction", "(signal 4)", Facts(state="FAILED", signal=4)),
    ("segfault", "(signal 11)", Facts(state="FAILED", exit_code=0, signal=11)),
    ("segfault", "(signal 11)", Facts(state="FAILED", exit_code=139, signal=0)),
    ("arithmetic", "(signal 8)", Facts(state="FAILED", signal=8)),
    ("killed", "(signal 9)", Facts(state="FAILED", exit_code=137)),
    ("aborted", "(signal 6)", Facts(state="FAILED", exit_code=134)),
    ("gpus_idle", "worked at 4 % of", ended("COMPLETED", gpus=2, gpu_percent=4)),
    ("memory_unused", "64 GB of memory and used 3 GB. Ask for 4 GB", MUCH_MEMORY),
    ("cpus_idle", "Its 16 CPUs were used 6 %", ended("COMPLETED", cpus=16, cpu_percent=6.2)),
    ("time_unused", "for 1 d and took 2 h. Ask for about 3 h with", MUCH_TIME),
]
HEADERS = re.compile(r"^== (\w+): (.*)\n", re.MULTILINE)
PRINTED = HEADERS.split(OUTPUTS)[1:]
SAMPLES = ENDS + [
    (name, part, failed(text))
    for name, part, text in zip(PRINTED[::3], PRINTED[1::3], PRINTED[2::3], strict=True)
]


def entry_of(text: str) -> int:
    """Return which entry of the table says this."""
    for at, hint in enumerate(built_in()):
        escaped = re.escape(hint.say).replace(r"\$\$", r"\$")
        if re.fullmatch(re.sub(r"\\\$[a-z_]+", ".+", escaped), text):
            return at
    raise AssertionError(f"no entry says {text}")


@pytest.mark.parametrize(("name", "part", "facts"), SAMPLES)
def test_what_jobs_print_and_how_they_end_is_explained(name: str, part: str, facts: Facts) -> None:
    """The first hint is the one meant, and it names what was found."""
    first = hints_for(facts)[0]

    assert built_in()[entry_of(first)].name == name
    assert part in first


def test_no_entry_of_the_table_is_out_of_reach() -> None:
    """Each is the first thing that is said of one of the samples."""
    reached = {entry_of(hints_for(facts)[0]) for _, _, facts in SAMPLES}
    assert [hint for at, hint in enumerate(built_in()) if at not in reached] == []


@pytest.mark.parametrize(
    "facts",
    [
        Facts(state="FAILED", exit_code=1, output=None),
        Facts(state="FAILED", exit_code=9, signal=0, output="epoch 3 loss: 0.3\n0 errors\n"),
        Facts(state="FAILED", exit_code=200, output="Error rate 0.1\nnanoseconds lost: 3\n"),
        Facts(state="COMPLETED", exit_code=0, output="rm: x: Permission denied\nValueError: y\n"),
        Facts(state="CANCELLED", signal=15, output="KeyError: 'x'\n"),
        Facts(state="CANCELLED", signal=9),
        Facts(state="RUNNING", output="ValueError: bad shape"),
        ended("COMPLETED", memory_percent=3, memory_asked_bytes=GB),
        ended("COMPLETED", memory_percent=3, memory_asked_bytes=64 * GB, elapsed_seconds=60),
        ended("COMPLETED", cpus=1, cpu_percent=3),
        ended("COMPLETED", cpus=8, cpu_percent=70),
        ended("COMPLETED", elapsed_percent=10, time_limit_seconds=1800, elapsed_seconds=180),
        ended("CANCELLED", cpus=16, cpu_percent=3),
    ],
)
def test_where_nothing_is_wrong_nothing_is_said(facts: Facts) -> None:
    """Noise in the output of a success, a cancellation and a small job need no advice."""
    assert hints_for(facts) == ()


def test_a_line_is_explained_once_and_three_hints_are_enough() -> None:
    """The general hint keeps quiet about what a specific one has explained."""
    facts = failed(
        "cat: a: No such file or directory\n"
        "cat: b: Permission denied\n"
        "OSError: [Errno 122] Disk quota exceeded\n"
        "KeyError: 'x'\n"
    )
    said = hints_for(facts)

    assert [built_in()[entry_of(text)].name for text in said] == [
        "quota",
        "permission_denied",
        "no_such_file",
    ]
    only = dataclasses.replace(facts, output="OSError: [Errno 122] Disk quota exceeded\n")
    assert len(hints_for(only)) == 1


def test_of_several_lines_the_last_counts() -> None:
    """In a chain of exceptions the last is the one that ended the job."""
    text = "KeyError: 'a'\n\nDuring handling of the above exception:\n\nValueError: b\n"
    assert '"ValueError: b"' in hints_for(failed(text))[0]


def test_colours_ranks_and_progress_bars_hide_nothing() -> None:
    """What a terminal, srun or torchrun adds to a line is looked through."""
    for line in ("\x1b[31mValueError: b\x1b[0m", "3: ValueError: b", "[rank12]: ValueError: b"):
        assert '"ValueError: b"' in hints_for(failed(f"10%\r20%\r{line}\n"))[0]


def test_what_is_quoted_is_one_short_line() -> None:
    """Output is anybody's text: control characters and length are cut."""
    said = hints_for(failed("ValueError: a\tb\x07\u202e" + "c" * 400))[0]
    quoted = said.split('"')[1]

    assert quoted.startswith("ValueError: a b c")
    assert len(quoted) == 200
    assert quoted.endswith("…")


@pytest.mark.parametrize(
    ("state", "used", "asked", "nodes", "suggested"),
    [
        ("OUT_OF_MEMORY", 4.0, 4.0, 1, "6 GB"),
        ("OUT_OF_MEMORY", 0.1, 4.0, 1, "6 GB"),
        ("OUT_OF_MEMORY", 5.0, 4.0, 1, "8 GB"),
        ("OUT_OF_MEMORY", 8.0, 8.0, 4, "3 GB a node"),
        ("FAILED", 4.0, 4.0, 1, "6 GB"),
        ("COMPLETED", 3.0, 64.0, 1, "4 GB"),
        ("COMPLETED", 0.01, 64.0, 1, "1 GB"),
        ("COMPLETED", 800.0, 2000.0, 1, "1000 GB"),
        ("COMPLETED", 1000.0, 4000.0, 1, "1.2 TB"),
    ],
)
def test_memory_is_suggested_in_whole_gigabytes(
    state: str, used: float, asked: float, nodes: int, suggested: str
) -> None:
    """Half as much again where the limit was hit, else a quarter more than was used; a node's."""
    figures = {"memory_used_bytes": used * GB, "memory_asked_bytes": asked * GB, "nodes": nodes}
    hint = Hint(name="site", when={"cpus": ">0"}, say="$memory_suggested")

    said = hints_for(Facts(state=state, figures={**figures, "cpus": 1}), [hint])
    assert said[0] == suggested


@pytest.mark.parametrize(
    ("elapsed", "shown", "suggested"),
    [
        (7, "7 s", "5 min"),
        (720, "12 min", "20 min"),
        (3600, "1 h", "1 h 30 min"),
        (12_100, "3 h 21 min", "5 h 30 min"),
        (187_200, "2 d 4 h", "3 d 6 h"),
    ],
)
def test_time_is_suggested_with_half_to_spare(elapsed: float, shown: str, suggested: str) -> None:
    """Rounded up to five minutes, or to half an hour above an hour."""
    hint = Hint(name="site", state="COMPLETED", say="$elapsed, $time_suggested")
    said = hints_for(ended("COMPLETED", elapsed_seconds=elapsed), [hint])
    assert said[0] == f"{shown}, {suggested}"


def test_a_site_is_heard_first() -> None:
    """Its hints come before the built-in ones, and replace one of the same name."""
    facts = failed("cp: x: Disk quota exceeded\nsimd: lost licence server lic7\nKeyError: 'x'\n")
    licence = Hint(name="simd", output=r"lost licence server (\w+)", say="Server $match is down.")
    quota = Hint(name="quota", output="quota exceeded", exit_code=[1, 2], say="Run quota-report.")

    said = hints_for(facts, [licence, quota])
    assert said[:2] == ("Server lic7 is down.", "Run quota-report.")
    assert len(said) == 3
    assert hints_for(facts)[0].startswith("Your quota is used up.")


@pytest.mark.parametrize(
    ("conditions", "changes"),
    [
        ({"state": ["FAILED", "TIMEOUT"]}, {"state": "CANCELLED"}),
        ({"exit_code": [3, 4]}, {"exit_code": 5}),
        ({"signal": 10}, {"signal": 12, "exit_code": 0}),
        ({"reason": "Burst buffer"}, {"reason": "NonZeroExitCode"}),
        ({"output": r"^site\d$"}, {"output": "site12"}),
        ({"when": {"cpu_percent": "< 50", "elapsed_seconds": ">= 10m"}}, {"figures": {}}),
        (
            {"when": {"memory_used_bytes": "<=2G", "cpu_percent": ">1%"}},
            {"figures": {"memory_used_bytes": 2 * GB + 1, "cpu_percent": 40.0}},
        ),
    ],
)
def test_all_conditions_must_hold(
    conditions: dict[str, object], changes: dict[str, object]
) -> None:
    """Each condition that is given can keep a hint back, and none that is not given."""
    facts = Facts(
        state="FAILED",
        exit_code=3,
        signal=10,
        reason="burst_buffer_error",
        output="site1",
        figures={"cpu_percent": 40.0, "elapsed_seconds": 600.0, "memory_used_bytes": 2 * GB},
    )
    hint = Hint.model_validate({"name": "site", "say": "Site.", **conditions})

    assert hints_for(facts, [hint]) == ("Site.",)
    other = dataclasses.replace(facts, **changes)  # type: ignore[arg-type]
    assert hints_for(other, [hint]) == ()


def test_a_text_that_names_what_is_not_known_is_not_said() -> None:
    """Rather no hint than one with a hole; the next of its name has its chance."""
    precise = Hint(name="site", exit_code=3, say="It used $memory_used.")
    vague = Hint(name="site", exit_code=3, say="It used too much, for $$5.")

    assert hints_for(Facts(state="FAILED", exit_code=3), [precise, vague]) == (
        "It used too much, for $5.",
    )


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"output": "(a"}, "not a regular expression: missing )"),
        ({"output": "a{99999999999999999999}"}, "not a regular expression"),
        ({"output": "(a+)+b"}, "repeats a repeat"),
        ({"output": r"(x(?:\w*;)?y)*"}, "repeats a repeat"),
        ({"output": "(?:[a(]+|b){2,}"}, "repeats a repeat"),
        ({"output": ""}, "1 to 1000 characters"),
        ({"output": 5}, "must be a regular expression"),
        ({}, "has no condition"),
        ({"state": "BROKEN"}, "no state in which a job ends; there are BOOT_FAIL"),
        ({"exit_code": [1, 300]}, "less than or equal to 255"),
        ({"when": {"cpu_percent": 50}}, 'a comparison in quotes, such as "<50"'),
        ({"when": {"cpu_percent": "<50 GB"}}, "a comparison in quotes"),
        ({"when": {"cpu_percents": "<50"}}, "no figure; there are cpu_percent"),
        ({"exit_code": 3, "say": "See $mach."}, "no placeholder $mach; there are cpu_percent"),
        ({"exit_code": 3, "say": "5 $ more"}, "write $$"),
        ({"exit_code": 3, "say": "Found $match."}, "no `output`"),
        ({"exit_code": 3, "name": "No Name"}, "pattern"),
        ({"exit_cod": 3}, "Extra inputs"),
    ],
)
def test_a_hint_that_cannot_be_is_refused(entry: dict[str, object], complaint: str) -> None:
    """The message says what is wrong, and what would be right."""
    with pytest.raises(ValidationError) as refused:
        Hint.model_validate({"name": "site", "say": "Site.", **entry})
    assert complaint in str(refused.value)


@pytest.mark.parametrize("expression", [r"(ab)+c", r"\(a+\)+", "[(+)]+x", "(a+)?", "(?:a{3})+"])
def test_a_repeat_alone_is_no_harm(expression: str) -> None:
    """Only a repeat within a repeat is refused."""
    assert Hint(name="site", output=expression, say="Site.").output == re.compile(expression)


SEEDS = ["a", "a.", " ", ":", "x: ", "1 ", "_", "A", "[", "loss ", "lossnan", "aError", "\x1b[0;"]
SEEDS += [hint.output.pattern[:30] for hint in built_in() if hint.output]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("end", ["", "\n"])
def test_hostile_output_takes_no_time(end: str) -> None:
    """Endless lines and endless numbers of them are searched in a bounded time."""
    for seed in SEEDS:
        line = (seed * 500)[:499] + end
        assert len(hints_for(failed(line * 2000))) <= MOST


def test_only_the_end_of_a_long_output_is_read() -> None:
    """The last lines are what counts."""
    noise = "all is well\n" * 100_000
    assert hints_for(failed(noise + "KeyError: 'x'\n")) != ()
    assert hints_for(failed("KeyError: 'x'\n" + noise)) == ()


FRAGMENTS = st.sampled_from([facts.output for _, _, facts in SAMPLES if facts.output])
WHOLE = st.integers(min_value=-1, max_value=10**6) | st.none()


@given(
    st.builds(
        Facts,
        state=st.sampled_from(["FAILED", "COMPLETED", "TIMEOUT", "OUT_OF_MEMORY", "", "?"]),
        exit_code=WHOLE,
        signal=WHOLE,
        reason=st.text() | st.none(),
        output=st.lists(FRAGMENTS | st.text(), max_size=6).map("\n".join) | st.none(),
        figures=st.dictionaries(st.sampled_from(sorted(FIGURES)) | st.text(), st.floats()),
    )
)
def test_nothing_breaks_it(facts: Facts) -> None:
    """Whatever is known of a job, there are at most three lines, and nothing unprintable."""
    said = hints_for(facts)

    assert len(said) <= MOST
    assert all(text.isprintable() and text for text in said)


def test_every_text_is_short() -> None:
    """A hint is read in a message, beside much else."""
    for hint in built_in():
        assert len(hint.say) <= 180, hint.name
        assert hint.say.endswith("."), hint.name

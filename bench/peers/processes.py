"""What every process of a peer gets, and how long and how large it may become. Standard library only."""

import os
import pathlib
import time


def gib(count):
    return f"{count / 2**30:.3g} GiB"


def process_environment(entry, options, data):
    """What a peer's process sees: the threads, by every name they have, and caches of its own."""
    threads = str(options.threads)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POCL_MAX_PTHREAD_COUNT", "NUMEXPR_NUM_THREADS")
    cache = pathlib.Path(__file__).resolve().parent / ".data/cache"
    cache.mkdir(parents=True, exist_ok=True)
    path = ":".join([*entry.get("library_path", []), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
    return {
        **os.environ,
        **dict.fromkeys(names, threads),
        "PYTHONDONTWRITEBYTECODE": "1",
        "JAX_PLATFORMS": "cpu",
        "CACHEDB": str(cache / "tinygrad.db"),
        "SETOSA_PROGRAM": str(options.setosa),
        "SETOSA_ARGUMENTS": options.setosa_arguments,
        "SETOSA_DATA": str(data),
        **({"LD_LIBRARY_PATH": path} if path else {}),
    }


def resident_bytes(process):
    try:
        with open(f"/proc/{process}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def watch(process, seconds, limit):
    """Waits for a process. Returns (most bytes seen, "" or why it was ended): addresses are no measure of memory, so the pages are watched."""
    deadline, most, pause = time.monotonic() + seconds, 0, 0.05
    while process.poll() is None:
        most = max(most, resident_bytes(process.pid))
        reason = ""
        if time.monotonic() > deadline:
            reason = f"stopped after {seconds:.0f} s"
        elif most > limit:
            reason = f"stopped at {gib(most)} of memory (--memory)"
        if reason:
            process.kill()
            process.wait()
            return most, reason
        time.sleep(pause)
        pause = min(1.0, 2 * pause)
    return most, ""

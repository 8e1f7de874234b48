"""The OpenCL devices of this machine, opened once for all of the process."""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
import warnings
from types import SimpleNamespace
from typing import Union

from . import _api
from ._library import DeviceError, Handle, as_namespace, call, in_python, lib, texts

Selector = Union[None, int, str, "list[int | str]", "tuple[int | str, ...]"]


class Device(SimpleNamespace):
    """An OpenCL device as `setosa devices` lists it, field by field as SetosaDeviceInfo in setosa.h: index, type ("cpu", "gpu", "other"),
    name, vendor, driver, version, platform, memory_bytes, compute_units, clock_mhz, usable, refusal (why it is not usable, "" where it is),
    note (what is special) and more."""

    index: int
    type: str
    name: str
    memory_bytes: int
    usable: bool
    refusal: str


class _Opened:
    """The list of devices, and those that were opened. One training at a time works on a device: `lock`."""

    def __init__(self) -> None:
        pointer = ctypes.c_void_p()
        call(lib.setosa_devices_open, ctypes.byref(pointer))
        self.list = Handle(pointer, lib.setosa_devices_close)
        self.process = os.getpid()
        told = (lib.setosa_devices_warning(pointer, i) for i in itertools.count())
        for line in itertools.takewhile(lambda line: line is not None, told):
            warnings.warn(in_python(line.decode("utf-8", "replace")), stacklevel=5)
        self.devices: dict[tuple[int, int, int], Handle] = {}
        self.lock = threading.RLock()

    def device(self, index: int, part: int, parts: int) -> Handle:
        key = (index, part, parts)
        if key not in self.devices:
            pointer = ctypes.c_void_p()
            call(lib.setosa_device_open_part, ctypes.byref(pointer), self.list.pointer, index, part, parts, False)
            self.devices[key] = Handle(pointer, lib.setosa_device_close)
        return self.devices[key]


_opened: _Opened | None = None
_opening = threading.Lock()


def opened() -> _Opened:
    """The devices of this process."""
    global _opened
    with _opening:
        if _opened is None:
            _opened = _Opened()
        if _opened.process != os.getpid():
            raise DeviceError(
                "this process was forked from one that uses OpenCL, and no driver survives that; start workers by spawn or loky, "
                "or compute on the host with backend='blas' or backend='reference'"
            )
        return _opened


def _describe(info: _api.SetosaDeviceInfo) -> Device:
    device = as_namespace(Device, info)
    device.type = lib.setosa_device_type_name(info.type).decode()
    return device


def devices() -> list[Device]:
    """Every OpenCL device found; an empty list where there is none."""
    pointer = opened().list.pointer
    return [_describe(lib.setosa_devices_get(pointer, i).contents) for i in range(lib.setosa_devices_count(pointer))]


def _choices(selector: Selector, family: int) -> _api.SetosaDeviceChoices:
    given = [] if selector is None else [selector] if isinstance(selector, (int, str)) else list(selector)
    choices = _api.SetosaDeviceChoices()
    call(lib.setosa_devices_choose, ctypes.byref(choices), opened().list.pointer, len(given), texts(given), family, False)
    return choices


def choose(selector: Selector, family: int = _api.SETOSA_FAMILY_AUTO) -> list[Handle]:
    """The devices that `selector` means, opened: an index, a part of a name, "cpu", "gpu", "all", "0/2", or a list of them; None: the best."""
    found = opened()
    with found.lock:
        choices = _choices(selector, family)
        return [found.device(one.index, one.part, one.parts) for one in choices.choice[: choices.count]]


def choose_indices(selector: Selector) -> list[int]:
    """Numbers of the devices that `selector` means; None: every usable one."""
    if selector is None:
        return [device.index for device in devices() if device.usable]
    choices = _choices(selector, _api.SETOSA_FAMILY_AUTO)
    return [one.index for one in choices.choice[: choices.count]]


def any_usable() -> bool:
    """Whether there is a device to compute on."""
    return any(device.usable for device in devices())

"""What the program has a device do: runs it with record.c preloaded and reads the record into launches."""

import json
import os
import subprocess

PASS_ENDS = ('read', 'finish')  # waits of the host: a pass lies between two


class Argument:
    """Of a launch: a place in a buffer (its number, bytes of the whole and an offset), a value as bytes, or local memory."""

    def __init__(self, kind, buffers, writable):
        self.buffer = self.value = None
        self.offset = self.bytes = self.local = 0
        self.writable = writable
        if 'value' in kind:
            self.value = bytes.fromhex(kind['value'])
        elif 'local' in kind:
            self.local = kind['local']
        elif kind.get('buffer'):
            number = kind['buffer']
            while 'parent' in buffers[number]:
                self.offset += buffers[number]['offset']
                number = buffers[number]['parent']
            self.buffer, self.bytes = number, buffers[number]['bytes']


class Launch:
    """One launch: kernel, the source without includes, the host's build options, groups and items as (x, y, z), arguments; with contents of
    its buffers before and after {buffer: file}, where they were recorded."""

    def __init__(self, event, kernel, program, buffers, folder):
        self.kernel, self.source, self.options = kernel['name'], os.path.join(folder, program['source']), program['options']
        local = event.get('local') or [1]
        self.items = tuple(local + [1] * (3 - len(local)))
        self.groups = tuple(g // i for g, i in zip(event['global'] + [1] * (3 - len(event['global'])), self.items))
        self.arguments = [Argument(a, buffers, k['writable']) for a, k in zip(event['arguments'], kernel['arguments'])]
        self.before = {int(k): os.path.join(folder, v) for k, v in event.get('before', {}).items()}
        self.after = {int(k): os.path.join(folder, v) for k, v in event.get('after', {}).items()}

    @property
    def program(self):
        return self.source, self.options


def passes(path):
    """Lists of launches, one for each stretch between two waits of the host."""
    found, now, buffers, kernels, programs = [], [], {}, {}, {}
    folder = path + '.d'
    with open(path) as file:
        for line in file:
            event = json.loads(line)
            kind = event['event']
            if kind == 'buffer':
                buffers[event['id']] = event
            elif kind == 'program':
                programs[event['id']] = event
            elif kind == 'kernel':
                kernels[event['id']] = event
            elif kind == 'launch':
                kernel = kernels[event['kernel']]
                now.append(Launch(event, kernel, programs[kernel['program']], buffers, folder))
            elif kind in PASS_ENDS and event.get('waits', True) and now:
                found.append(now)
                now = []
    return found + [now] if now else found


class Recorder:
    """Builds the module once, in a folder of its own, and runs the program with it."""

    def __init__(self, setosa, folder):
        self.setosa, self.folder = setosa, folder
        os.makedirs(folder, exist_ok=True)
        self.module = os.path.join(folder, 'record.so')
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'record.c')
        subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', self.module, source, '-ldl'], check=True)

    def run(self, name, arguments, device, dry, data):
        """Runs `setosa ARGUMENTS` on a device that claims to be `device`; returns the passes."""
        path = os.path.join(self.folder, name + '.jsonl')
        environment = dict(os.environ, SETOSA_RECORD=path, LD_PRELOAD=self.module, XDG_CACHE_HOME=os.path.join(self.folder, 'cache', device or 'own'))
        if device:
            environment['SETOSA_RECORD_DEVICE'] = device
        if dry:
            environment['SETOSA_RECORD_DRY'] = '1'
        if data:
            environment['SETOSA_RECORD_DATA'] = '1'
        os.makedirs(environment['XDG_CACHE_HOME'], exist_ok=True)
        done = subprocess.run([self.setosa, *arguments], env=environment, capture_output=True, text=True, check=False)
        if not os.path.exists(path):
            raise RuntimeError(f'{self.setosa} recorded nothing: {done.stderr.strip()[-300:]}')
        return passes(path)

    def work(self, work, what, storage, device='h100'):
        """The launches of one pass of a work of the suite, at its full size: nothing is run."""
        arguments = ['bench', '--work', work, '--backends', 'native', '--family', 'gpu', '--what', what, '--storage', storage, '--repeat', '1',
                     '--tune', 'off', '--device', '0', '--force-device']
        found = self.run(f'{work}-{what}-{storage}-{device}', arguments, device, True, False)
        wanted = [p for p in found if any(is_product(launch.kernel) for launch in p)]
        if not wanted:
            raise RuntimeError(f'{work}, {what}, {storage}: no pass was recorded')
        return wanted[0]


def is_product(kernel):
    """Whether a kernel reads X."""
    return kernel.startswith(('fused_', 'logits_', 'gradient_', 'sparse_logits', 'sparse_gradient', 'block_'))

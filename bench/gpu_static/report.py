"""What run prints, and the baseline that it is held against."""

import json
import os

IN_MEMORY = ('spill', 'private', 'scratch')
WORSE = 0.02  # of an estimated part, before it counts as a regression


class Report:
    """Collects rows, prints them as they come, and says at the end what became worse."""

    def __init__(self, baseline, verbose):
        self.path, self.verbose = baseline, verbose
        self.baseline = {}
        if os.path.exists(baseline):
            with open(baseline) as file:
                self.baseline = json.load(file)
        self.found = {}
        self.faults, self.skipped, self.begun = [], [], set()

    def heading(self, text):
        if text not in self.begun:
            self.begun.add(text)
            print('\n' + text, flush=True)

    def skip(self, what, why):
        self.skipped.append(what)
        print(f'skipped: {what}: {why}', flush=True)

    def fault(self, words):
        self.faults.append(words)
        print('WORSE: ' + words, flush=True)

    def estimate(self, row):
        """One work: seconds, part of the limit, and the launch that takes longest."""
        self.heading('work  operation  storage  estimate us  limit us  part  at most  before  longest launch, and what bounds it')
        place = self.found.setdefault(row['arch'], {}).setdefault('works', {}).setdefault(row['work'], {})
        name = row['storage'] if row['what'] == 'step' else row['what'] + ' ' + row['storage']
        place[name] = {'seconds': round(row['seconds'], 9), 'part': round(row['part'], 3), 'at_most': round(row['most'], 3)}
        before = self.baseline.get(row['arch'], {}).get('works', {}).get(row['work'], {}).get(name, {}).get('part')
        known = [(e.seconds * n, e, n) for e, _, n in row['launched'] if e]
        longest = max(known, key=lambda k: k[0]) if known else None
        words = f'{longest[1].name} {1e6 * longest[0]:.1f} us, {longest[1].bound}' if longest else ''
        print(f'{row["work"]:<5} {row["what"]:<10} {row["storage"]:<8} {1e6 * row["seconds"]:>11.1f} {1e6 * row["limit"]:>9.1f} {row["part"]:>5.2f} {row["most"]:>8.2f} '
              f'{before if before is not None else "-":>7}  {words}', flush=True)
        if self.verbose:
            self.launches(row)
        for _, why, _ in (one for one in row['launched'] if one[0] is None):
            self.fault(f'{row["work"]} {name}: a launch cannot be estimated: {why}')
        if before is not None and row['part'] < before - WORSE:
            self.fault(f'{row["work"]} {name}: estimated part {row["part"]:.2f}, before {before:.2f}')

    def launches_of(self, row, rows):
        """What the launches that take at least a tenth of a work are made of."""
        self.heading('work  operation  kernel             warp instructions  KB in flight  instructions of the hot loop, percent\n'
                     '                                       per 64 rows  of a multiprocessor')
        for estimate, _, times in row['launched']:
            if estimate is None or estimate.seconds * times < row['seconds'] / 10:
                continue
            whole = max(sum(estimate.mix.values()), 1)
            mix = ', '.join(f'{name} {100 * count / whole:.0f}' for name, count in sorted(estimate.mix.items(), key=lambda one: -one[1]))
            each = estimate.warp_instructions * times * 64 / rows
            print(f'{row["work"]:<5} {row["what"]:<10} {estimate.name:<18} {each:>17.0f} {estimate.in_flight / 1024:>13.1f}  {mix or "none with multiply-adds"}', flush=True)

    def launches(self, row):
        for estimate, executed, times in row['launched']:
            if estimate is None:
                print(f'      {times} x refused: {executed}')
                continue
            spent = ', '.join(f'{name} {1e6 * t:.1f}' for name, t in estimate.times.items() if t > 5e-8)
            print(f'      {times} x {estimate.name}, {estimate.groups} groups, {estimate.resident} resident: {1e6 * estimate.seconds:.1f} us ({spent})')
            print('          a group: ' + ', '.join(f'{name} {count:.0f}' for name, count in executed.items()), flush=True)

    def resource(self, kernel, work, arch, takes):
        """What a kernel takes with the macros of a work on an arch: {what: how much}. What found no register must be none, or what the baseline
        has for it."""
        place = self.found.setdefault('resources', {}).setdefault(arch, {'most': {}, 'in memory': {}})
        most = place['most'].setdefault(kernel, {'registers': 0, 'local': 0})
        for what in most:
            most[what] = max(most[what], takes[what])
        lost = {what: takes[what] for what in IN_MEMORY if takes.get(what)}
        name = f'{kernel} {work}'
        if lost:
            place['in memory'][name] = lost
        allowed = self.baseline.get('resources', {}).get(arch, {}).get('in memory', {}).get(name, {})
        for what, size in lost.items():
            if size > allowed.get(what, 0):
                self.fault(f'{name} on {arch}: {size} bytes of {what}, before {allowed.get(what, 0)}')

    def resources(self, archs):
        """The table: of each kernel the most over all works, and all that found no register."""
        found = {arch: self.found.get('resources', {}).get(arch, {'most': {}, 'in memory': {}}) for arch in archs}
        self.heading('registers of a work-item (Intel: of a thread) / KB of local memory of a group; the most of all works')
        print(f'{"kernel":<24}' + ''.join(f'{arch:>11}' for arch in archs))
        for kernel in sorted({kernel for arch in archs for kernel in found[arch]['most']}):
            cells = [found[arch]['most'].get(kernel) for arch in archs]
            print(f'{kernel:<24}' + ''.join(f'{"-" if c is None else str(c["registers"]) + "/" + format(c["local"] / 1024, ".3g"):>11}' for c in cells), flush=True)
        self.heading('in memory instead of registers, bytes of a work-item (Intel: of a thread)')
        lost = [(arch, name, sizes) for arch in archs for name, sizes in sorted(found[arch]['in memory'].items())]
        for arch, name, sizes in lost:
            print(f'{arch:<8} {name:<34} ' + ', '.join(f'{what} {size}' for what, size in sizes.items()))
        if not lost:
            print('none')

    def close(self, update, quick):
        """Writes or compares; the exit code."""
        if update:
            merged = self.baseline
            for arch in () if quick else self.found.get('resources', {}):  # what is gone is gone
                merged.get('resources', {}).pop(arch, None)
            merge(merged, self.found)
            with open(self.path + '.part', 'w') as file:
                json.dump(merged, file, indent=1, sort_keys=True)
                file.write('\n')
            os.replace(self.path + '.part', self.path)
            print(f'\n{self.path} is written')
        print(f'\n{len(self.faults)} worse, {len(self.skipped)} skipped')
        return 1 if self.faults else 0


def merge(into, new):
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value

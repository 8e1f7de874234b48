"""A headless Chromium, spoken to through its DevTools pipe: requests and answers are JSON, each ended by a zero byte.

    with Browser(folder) as browser:
        view = browser.open("file:///...", width=400, dark=True)
"""
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60


def find():
    """The program, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    def __init__(self, folder):
        self.folder = folder
        self.number, self.pending, self.events = 0, b"", []

    def __enter__(self):
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()
        high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (requests, answers)]

        def connect():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.errors = open(os.path.join(self.folder, "browser.log"), "wb")
        self.process = subprocess.Popen(
            [find(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage", "--user-data-dir=" + os.path.join(self.folder, "browser")],
            stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors, preexec_fn=connect, pass_fds=(3, 4),
            env=dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder, XDG_CACHE_HOME=self.folder))
        for descriptor in (requests, answers, *high):
            os.close(descriptor)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.requests)
        os.close(self.answers)
        self.errors.close()

    def receive(self, until):
        """The next message; TimeoutError past `until`."""
        while b"\0" not in self.pending:
            ready = select.select([self.answers], [], [], max(0, until - time.monotonic()))[0]
            if not ready:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self.pending += more
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if hasattr(self, "session"):
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.requests, data):]
        until = time.monotonic() + SECONDS
        while True:
            message = self.receive(until)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError("%s: %s" % (method, message["error"]))
                return message["result"]
            self.events.append(message)

    def wait_for(self, method):
        until = time.monotonic() + SECONDS
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.receive(until))

    def open(self, url, width, dark):
        """Shows a page; what went wrong on the way, as texts."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events = []
        self.ask("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")
        problems = []
        for event in self.events:
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                problems.append("exception: " + json.dumps(parameters["exceptionDetails"])[:300])
            elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                problems.append("console: " + parameters["entry"]["text"])
            elif event["method"] == "Network.requestWillBeSent" and parameters["request"]["url"] != url:
                problems.append("asks for " + parameters["request"]["url"][:200])
        return problems

    def evaluate(self, script):
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:2000])
        return result["result"]["value"]

    def picture(self, path):
        import base64
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

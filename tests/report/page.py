"""A page of `setosa ... --report`, read by a parser of XML: its elements, its numbers by their names, its text."""
import json
import re
import struct
import xml.etree.ElementTree

DOCTYPE = "<!DOCTYPE html>\n"


class Page:
    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            self.source = file.read()
        assert self.source.startswith(DOCTYPE), "%s has no doctype" % path
        self.root = xml.etree.ElementTree.fromstring(self.source[len(DOCTYPE):])
        self.numbers = {}
        for element in self.root.iter():
            key = element.get("id") if element.tag == "data" else element.get("data-key")
            if key is None:
                continue
            assert key not in self.numbers, "%s is there twice" % key
            value = element.get("value", element.get("data-value"))
            self.numbers[key] = float(value) if value else None

    def text(self):
        return "".join(self.root.itertext())

    def element(self, name):
        found = [element for element in self.root.iter() if element.get("id") == name]
        assert len(found) == 1, "%d elements are called %s" % (len(found), name)
        return found[0]

    def steady(self):
        """The source without what may differ from run to run."""
        def drop(parent):
            for child in list(parent):
                if "varies" in child.get("class", "").split():
                    parent.remove(child)
                else:
                    drop(child)
        root = xml.etree.ElementTree.fromstring(self.source[len(DOCTYPE):])
        drop(root)
        return xml.etree.ElementTree.tostring(root, encoding="unicode")

    def check_alone(self):
        """Nothing beside it is asked for, and nothing on it acts."""
        assert not re.search(r"https?:|//[a-z]|\bsrc=|<script|<link|<iframe|@import|url\(|\bon[a-z]+=", self.source), "it asks for something"


def set_temperature(path, temperature):
    """Makes a model file one of a calibrated model."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header["__metadata__"]["temperature"] = temperature
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data[8 + size:])


def flat(document, before=""):
    """{"per_class.0.f1": 0.96, ...} of a document of JSON."""
    members = document.items() if isinstance(document, dict) else enumerate(document)
    numbers = {}
    for key, value in members:
        name = before + str(key)
        if isinstance(value, (dict, list)):
            numbers.update(flat(value, name + "."))
        elif value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            numbers[name] = value
    return numbers


def compare(page, document, least):
    """Every number of the page that the document has, too: the same to 15 digits. At least so many."""
    truth, compared = flat(document), 0
    for key, value in page.numbers.items():
        if key not in truth:
            continue
        expected = truth[key]
        same = value is expected is None or (value is not None and expected is not None and abs(value - expected) <= 1e-14 * abs(expected))
        assert same, "%s is %r on the page and %r in the document" % (key, value, expected)
        compared += 1
    assert compared >= least, "only %d numbers could be compared" % compared

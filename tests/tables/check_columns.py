"""What the columns of a table are, by Python's csv module and statistics alone: kinds, levels with counts, means. check_columns.py FILE LABEL"""
import collections, csv, json, statistics, sys


def is_number(cell):
    try:
        return abs(float(cell)) < float("inf")
    except ValueError:
        return False


def check(path, label, separator=",", quote='"', encoding="utf-8-sig", decimal="."):
    missing, kinds = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "#N/A", "."}, {}
    with open(path, encoding=encoding, newline="") as file:
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(file, delimiter=separator, quotechar=quote) if row]
    for name, *cells in zip(header, *rows):
        values = [cell.replace(decimal, ".") for cell in cells if cell not in missing]
        counts = name in ("", "Unnamed: 0") and values[0].isdigit() and values == [str(int(values[0]) + i) for i in range(len(cells))]
        identifies = name != label and 2 * len(set(values)) > len(values)
        numeric = values and name != label and all(map(is_number, values))
        kinds[name] = "left out" if counts or not values or (identifies and not numeric) else "numeric" if numeric else "categorical"
    used = [i for i, name in enumerate(header) if kinds[name] != "left out"]
    kept = [[row[i] for i in used] for row in rows if not missing & {row[i] for i in used}]
    columns = {header[i]: {"mean": statistics.fmean(float(cell.replace(decimal, ".")) for cell in cells)} if kinds[header[i]] == "numeric"
               else {"levels": collections.Counter(cells)} for i, cells in zip(used, zip(*kept))}
    return {"rows": len(rows), "left_out": len(rows) - len(kept), "columns": columns}


if __name__ == "__main__":
    print(json.dumps(check(*sys.argv[1:]), indent=2, ensure_ascii=False))

"""Makes the data of this project: python3 make.py. Standard library alone; the same numbers on every machine.

400 items of 16 groups. What their texts and images say is planted, item by item (data/planted.csv):

- both: text and image show the item's group
- text: the text shows it; the image shows nothing
- image: the image shows it; the text shows nothing
- apart: the text shows the item's group, the image another one

Ten items have no image. Users go for three groups each, whatever shows them.
"""

import random
import struct
from pathlib import Path

SEED, ITEMS, GROUPS, WIDTH, USERS = 7, 400, 16, 16, 300
WORDS_A_GROUP, START, DAY = 12, 1_577_836_800, 86_400
KINDS = [("both", 0.6), ("text", 0.15), ("image", 0.15), ("apart", 0.1)]
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va"]


def main():
    rng = random.Random(SEED)
    folder = Path(__file__).parent / "data"
    words = ["".join(rng.sample(SYLLABLES, 3)) for _ in range(10_000)]
    words = list(dict.fromkeys(words))[: WORDS_A_GROUP * (GROUPS + 1)]
    groups = [words[WORDS_A_GROUP * group :][:WORDS_A_GROUP] for group in range(GROUPS + 1)]
    centres = [[rng.gauss(0, 1) for _ in range(WIDTH)] for _ in range(GROUPS)]

    planted, titles, images = [], [], []
    for item in range(ITEMS):
        group = item % GROUPS
        kind = rng.choices([kind for kind, _ in KINDS], [share for _, share in KINDS])[0]
        other = (group + rng.randrange(1, GROUPS)) % GROUPS
        shown = {"both": group, "text": None, "image": group, "apart": other}[kind]
        # The last list of words is that of no group.
        titles.append(" ".join(rng.sample(groups[GROUPS if kind == "image" else group], 5)))
        noise = [rng.gauss(0, 0.4 if shown is not None else 1.1) for _ in range(WIDTH)]
        images.append([(centres[shown][at] if shown is not None else 0.0) + noise[at] for at in range(WIDTH)])
        planted.append((f"i{item}", group, kind, "" if shown is None else shown))
    without = set(rng.sample(range(ITEMS), 10))

    interactions = []
    for user in range(USERS):
        likes = rng.sample(range(GROUPS), 3)
        begin = rng.uniform(0, 240)
        liked = [item for item in range(ITEMS) if item % GROUPS in likes]
        chosen = [rng.choice(liked) if rng.random() < 0.9 else rng.randrange(ITEMS) for _ in range(rng.randint(8, 30))]
        for step, item in enumerate(dict.fromkeys(chosen)):
            interactions.append((int(START + DAY * (begin + 6 * step + rng.random())), f"u{user}", f"i{item}"))
    interactions.sort()

    def write(name, lines):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")

    write("shop.inter", ["user_id:token\titem_id:token\ttimestamp:float"] + [f"{u}\t{i}\t{t}" for t, u, i in interactions])
    write("shop.item", ["item_id:token\ttitle:token_seq"] + [f"i{item}\t{title}" for item, title in enumerate(titles)])
    write("planted.csv", ["item,group,kind,image"] + [",".join(map(str, row)) for row in planted])
    there = [item for item in range(ITEMS) if item not in without]
    write("image.ids.txt", [f"i{item}" for item in there])
    # As numpy.save writes a matrix of float32.
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(there)}, {WIDTH}), }}"
    header = header.ljust(117) + "\n"
    values = [value for item in there for value in images[item]]
    matrix = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii")
    (folder / "image.npy").write_bytes(matrix + struct.pack(f"<{len(values)}f", *values))


main()

#!/usr/bin/env python3
"""Time from a click to the picture of what it opens, in a real window of 1280 x 800 that the processor draws (Mesa's lavapipe).

Usage: benches/answers.py PESO [TIMES]    needs Xvfb, lavapipe and python-xlib

The demo is copied into a temporary folder and opened under Xvfb. Clicks are measured first while nothing runs, then while the demo
trains on every core: from the release of the button until pixels change where the menu, dialog or palette will be. Pixels are
looked at every 4 ms, so that looking takes no core.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from Xlib import X, XK, display
from Xlib.ext import xtest

# What is clicked, and where its picture comes: x, y, width, height.
CLICKS = {
    "menu File": ((20, 18), (20, 60, 60, 100)),
    "dialog Add experiment": ((274, 408), (500, 300, 200, 200)),
    "palette": ((1176, 18), (500, 200, 200, 200)),
}
SCREEN = ":77"


class Pointer:
    def __init__(self):
        self.display = display.Display(SCREEN)
        self.root = self.display.screen().root

    def send(self, *event, **where):
        xtest.fake_input(self.display, *event, **where)
        self.display.sync()

    def press(self, x, y):
        self.send(X.MotionNotify, x=x, y=y)
        # A tooltip, or a button that lights up, is no answer; a hand takes a tenth of a second from press to release.
        time.sleep(0.9)
        self.send(X.ButtonPress, 1)
        time.sleep(0.1)

    def key(self, name):
        code = self.display.keysym_to_keycode(XK.string_to_keysym(name))
        self.send(X.KeyPress, code)
        self.send(X.KeyRelease, code)

    def picture(self, at):
        return self.root.get_image(*at, X.ZPixmap, 0xFFFFFFFF).data


def measure(pointer, times):
    for name, (place, at) in CLICKS.items():
        took = []
        for _ in range(times):
            pointer.send(X.MotionNotify, x=700, y=600)
            time.sleep(0.25)
            pointer.press(*place)
            before, began = pointer.picture(at), time.monotonic()
            pointer.send(X.ButtonRelease, 1)
            while pointer.picture(at) == before:
                if time.monotonic() - began > 5:
                    sys.exit(f"{name}: nothing opens")
                time.sleep(0.004)
            took.append(1000 * (time.monotonic() - began))
            time.sleep(0.6)
            pointer.key("Escape")
            time.sleep(0.4)
        took.sort()
        print(f"  {name:22} median {took[times // 2]:4.0f} ms, 9 of 10 within {took[times * 9 // 10]:4.0f} ms")


def main():
    peso, times = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 15
    demo = Path(__file__).resolve().parent.parent / "projects" / "demo"
    screen = subprocess.Popen(["Xvfb", SCREEN, "-screen", "0", "1280x800x24"], stderr=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        project, drivers = Path(folder) / "demo", glob.glob("/usr/share/vulkan/icd.d/lvp*.json")
        shutil.copytree(demo, project, ignore=shutil.ignore_patterns("runs"))
        # The tour would lie over what is clicked.
        settings = Path(folder) / "peso-workbench" / "settings.ron"
        settings.parent.mkdir()
        settings.write_text("(tour_seen: true)")
        environment = os.environ | {
            "DISPLAY": SCREEN, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_RUNTIME_DIR": folder,
            "VK_ICD_FILENAMES": ":".join(drivers),
        }
        time.sleep(1)
        window = subprocess.Popen([peso, project], env=environment, stderr=subprocess.DEVNULL)
        try:
            time.sleep(6)
            pointer = Pointer()
            frame = pointer.root.query_tree().children[-1]
            frame.configure(x=0, y=0, width=1280, height=800)
            frame.set_input_focus(X.RevertToParent, X.CurrentTime)
            pointer.display.sync()
            time.sleep(2)
            print("nothing runs")
            measure(pointer, times)
            pointer.key("F5")
            time.sleep(12)
            print("the demo trains")
            measure(pointer, times)
        finally:
            window.kill()
            # The worker goes on without it.
            subprocess.run(["pkill", "-f", f"run {project}"])
            time.sleep(2)
            screen.kill()


if __name__ == "__main__":
    main()

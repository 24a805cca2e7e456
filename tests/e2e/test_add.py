"""Adding and looking again: what is new, moved, changed, gone, or no picture."""
import json
import os
import shutil
import signal

from conftest import picture


def test_add_and_rescan(magpie, photos):
    summary, _ = magpie.add(photos)
    assert summary["added"] == 12
    summary, _ = magpie.add(photos)
    assert summary["unchanged"] == 12 and summary["added"] == 0
    os.rename(photos / "p00.jpg", photos / "renamed.jpg")
    picture(photos / "p01.jpg", 100)
    os.remove(photos / "p02.jpg")
    shutil.copy(photos / "p03.jpg", photos / "again.jpg")
    before = {i["name"]: i["id"] for i in magpie.json("list")[-1]["items"]}
    _, files = magpie.add(photos)
    assert files["renamed.jpg"]["outcome"] == "moved"
    assert files["renamed.jpg"]["id"] == before["p00.jpg"]
    assert files["p01.jpg"]["outcome"] == "changed"
    assert files["p01.jpg"]["id"] == before["p01.jpg"]
    assert files["p02.jpg"]["outcome"] == "vanished"
    assert files["again.jpg"]["outcome"] == "known"
    assert files["again.jpg"]["id"] == before["p03.jpg"]
    summary, _ = magpie.add(photos)
    assert summary["unchanged"] == 12 and summary["vanished"] == 0
    item = magpie.json("show", before["p02.jpg"])[-1]["items"][0]
    assert item["state"] == "missing"
    magpie.sound("--deep")


def test_same_bytes_in_one_run_are_one_item(magpie, tmp_path):
    folder = tmp_path / "twins"
    picture(folder / "a.jpg", 1)
    shutil.copy(folder / "a.jpg", folder / "b.jpg")
    summary, _ = magpie.add(folder)
    assert summary["added"] == 1 and summary["known"] == 1


def test_copies_survive_the_originals(magpie, photos):
    magpie.add("--copy", photos)
    shutil.rmtree(photos)
    assert magpie.sound("--deep") == 12
    item = magpie.json("show", 1)[-1]["items"][0]
    assert item["copied"] and item["state"] == "present"


def test_bad_input_is_named_and_the_rest_goes_on(magpie, tmp_path):
    folder = tmp_path / "mixed"
    picture(folder / "good.jpg", 1)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture at all")
    picture(folder / "whole.jpg", 2)
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[:len(whole) // 2])
    picture(folder / "good.png", 3)
    png = (folder / "good.png").read_bytes()
    (folder / "cut.png").write_bytes(png[:200])
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    os.symlink(folder, folder / "loop")
    os.symlink(folder / "good.jpg", folder / "link.jpg")
    os.symlink(folder / "nowhere", folder / "dangling.jpg")
    picture(folder / "bell\a\x1b[31mname\n.jpg", 4)
    summary, files = magpie.add(folder, code=4)
    assert files["cut.jpg"]["outcome"] == "refused" and files["cut.jpg"]["reason"]
    assert files["cut.png"]["outcome"] == "refused"
    assert files["empty.jpg"]["outcome"] == "skipped"
    assert files["text.jpg"]["outcome"] == "skipped"
    assert files["link.jpg"]["outcome"] == "known" or files["good.jpg"]["outcome"] == "known"
    assert summary["added"] == 4 and summary["refused"] == 2
    listing = magpie.run("list").stdout
    assert b"\x1b" not in listing and b"\a" not in listing
    magpie.sound()


def test_a_missing_path_fails_but_the_others_are_added(magpie, photos):
    done = magpie.run("add", photos, photos / "nowhere", code=3)
    assert b"nowhere" in done.stderr
    assert magpie.sound() == 12


def test_ctrl_c_keeps_what_is_finished(magpie, tmp_path):
    folder = tmp_path / "many"
    for i in range(120):
        picture(folder / f"{i:03}.png", i, size=(700, 500))
    process = magpie.start("add", folder, "--json")
    assert b'"added"' in process.stdout.readline()  # it is at work now
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    have = magpie.sound("--deep")
    assert 0 < have < 120
    assert json.loads(out.splitlines()[-1])["added"] == have
    summary, _ = magpie.add(folder)
    assert summary["added"] == 120 - have
    assert magpie.sound("--deep") == 120


def test_tags_and_filters(magpie, photos):
    magpie.run("add", photos, "--tag", "red", "--tag", "two words")
    magpie.run("tag", 1, 2, "+blue", "-red")
    assert magpie.json("list", "--where", "tag:blue")[-1]["count"] == 2
    assert magpie.json("list", "--where", "tag:red")[-1]["count"] == 10
    assert magpie.json("list", "--where", 'tag:"two words" -tag:red')[-1]["count"] == 2
    magpie.run("list", "--where", "sise>3", code=2)
    magpie.run("rm", 1, 2)
    magpie.run("show", 1, code=3)
    assert magpie.sound() == 10

"""A project and everybody who may stand around it, for tests of who may do what."""
import sqlite3
import threading

#: In the order of the columns of every table: the owner; an editor and a viewer of the project; a guest who
#: is an editor by the project and yet only reads; somebody else; an operator; an administrator.
PEOPLE = ("owner", "editor", "viewer", "guest", "stranger", "operator", "root")


def role_of(magpie, name, role):
    db = sqlite3.connect(magpie.library / "magpie.db", timeout=30)
    with db:
        assert db.execute("UPDATE user SET role = ? WHERE username = ?", (role, name)).rowcount == 1
    db.close()


def talkative(service):
    """For more requests than a pipe holds lines of the log: they are read and dropped."""
    log, service.process.stderr = service.process.stderr, None
    threading.Thread(target=lambda: [None for _ in log], daemon=True).start()
    return service


class People:
    def __init__(self, service, magpie):
        self.service, self.magpie = service, magpie
        self.token = {"root": service.set_up()}
        for name in PEOPLE[:-1]:
            self.token[name] = service.register(name)
        role_of(magpie, "guest", "guest")
        role_of(magpie, "operator", "operator")

    def project(self, name, owner="owner"):
        """A new project of the owner, shared with the editor, the viewer and the guest."""
        status, made = self.service.send("/api/projects", {"name": name}, self.token[owner])
        assert status == 201, made
        for who, role in (("editor", "editor"), ("viewer", "viewer"), ("guest", "editor")):
            status, answer = self.service.send(f"/api/projects/{made['id']}/members",
                                               {"username": who, "role": role}, self.token[owner], "PUT")
            assert status == 200, answer
        return made["id"]

    def statuses(self, ask):
        """What everybody hears who asks: ask(token, name) -> status."""
        return tuple(ask(self.token[name], name) for name in PEOPLE)

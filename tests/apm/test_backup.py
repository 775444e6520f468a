"""One file with everything, and back: into the same kind of database or the other."""

import zipfile
from dataclasses import replace

import pytest
from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.assets.commands import create_asset
from apm.assets.model import Asset
from apm.backup import make_backup, restore_backup
from apm.core.audit import verify_chain
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.errors import Conflict, Invalid


@pytest.fixture
def full(as_, engine, settings):
    """Settings of a hospital with an asset and an upload."""
    create_asset(as_("wang"), number="V-1", name="Ventilator", name_zh="呼吸机", category="VENT")
    settings.uploads.mkdir()
    (settings.uploads / "manual.txt").write_text("read me")
    return replace(settings, database_url=engine.url.render_as_string(hide_password=False))


@pytest.mark.database
def test_what_was_saved_comes_back_whole(full, tmp_path):
    make_backup(full, tmp_path / "all.apm")
    empty = replace(
        full, database_url=f"sqlite:///{tmp_path / 'new.db'}", uploads=tmp_path / "elsewhere"
    )
    restore_backup(empty, tmp_path / "all.apm")

    engine = make_engine(empty.database_url)
    with make_sessions(engine)() as session:
        Context(session, system_actor(None))
        [asset] = session.scalars(select(Asset))
        assert (asset.number, asset.name_zh) == ("V-1", "呼吸机")
        assert verify_chain(session, asset.hospital_id).broken_at is None
    engine.dispose()
    assert (empty.uploads / "manual.txt").read_text() == "read me"


@pytest.mark.database
def test_it_goes_over_a_full_database_only_when_asked(full, tmp_path, as_):
    make_backup(full, tmp_path / "all.apm")
    create_asset(as_("wang"), number="V-2", name="Made later", category="VENT")
    with pytest.raises(Conflict, match="--replace"):
        restore_backup(full, tmp_path / "all.apm")
    assert len(as_("wang").session.scalars(select(Asset)).all()) == 2

    restore_backup(full, tmp_path / "all.apm", replace=True)
    ctx = as_("wang")
    assert ctx.session.scalars(select(Asset.number)).all() == ["V-1"]
    create_asset(ctx, number="V-3", name="Numbers go on", category="VENT")


def test_a_file_that_is_no_backup_changes_nothing(full, tmp_path, as_):
    (tmp_path / "text").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme", "not ours")
    for name in ("text", "other.zip"):
        with pytest.raises(Invalid):
            restore_backup(full, tmp_path / name, replace=True)
    assert len(as_("wang").session.scalars(select(Asset)).all()) == 1


def test_a_backup_that_fails_leaves_no_half_file(full, tmp_path):
    with pytest.raises(Invalid):
        make_backup(full, tmp_path / "no such folder" / "all.apm")
    assert not (tmp_path / "no such folder").exists()

"""Setting up: the database's schema, hospitals, people, tokens."""

from __future__ import annotations

import sys

import click

from apm import database
from apm.accounts import commands as accounts
from apm.cli.frame import acting, hospital_option, open_database
from apm.cli.refusal import Refused
from apm.core.i18n import _
from apm.core.permissions import Role

role_option = click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True
)


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to date; safe to repeat."""
    with open_database(must_be_current=False) as engine:
        database.upgrade(engine)
    click.echo(_("The database is up to date."))


@db.command()
def check() -> None:
    """Say whether models and database agree."""
    with open_database() as engine:
        differences = database.differences(engine)
    if differences:
        raise Refused("\n".join([_("The database differs from the models:"), *differences]))
    click.echo(_("Models and database agree."))


@click.group()
def hospital() -> None:
    """Hospitals."""


@hospital.command("add")
@click.argument("code")
@click.argument("name")
@click.option("--name-zh", help="The Chinese name.")
@click.option("--phone", help="The equipment department's telephone, shown on labels' pages.")
def add_hospital(code: str, name: str, name_zh: str | None, phone: str | None) -> None:
    """Add a hospital."""
    with acting(None) as ctx:
        made = accounts.add_hospital(ctx, code=code, name=name, name_zh=name_zh, phone=phone)
    click.echo(_("Hospital %(code)s is added.", code=made.code))


@click.group()
def user() -> None:
    """People."""


@user.command("add")
@click.argument("email")
@hospital_option
@role_option
@click.option("--name", help="As shown to others; the e-mail's first part by default.")
@click.option("--name-zh", help="The Chinese name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_user(
    email: str,
    hospital: str,
    role: str,
    name: str | None,
    name_zh: str | None,
    *,
    password_stdin: bool,
) -> None:
    """Add a person with a role; the password is asked for."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt(_("Password"), hide_input=True, confirmation_prompt=True)
    with acting(hospital) as ctx:
        made = accounts.add_user(
            ctx,
            email=email,
            name=name or email.partition("@")[0],
            name_zh=name_zh,
            role=Role(role),
            password=password,
        )
    click.echo(_("%(email)s is added.", email=made.email))


@click.group()
def token() -> None:
    """API tokens."""


@token.command("add")
@click.argument("name")
@hospital_option
@role_option
def add_token(name: str, hospital: str, role: str) -> None:
    """Make an API token and print it, once."""
    with acting(hospital) as ctx:
        click.echo(accounts.add_token(ctx, name=name, role=Role(role)))

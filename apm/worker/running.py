"""The process: APScheduler ticks, the leader runs the jobs of every hospital."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from threading import Event as Flag
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.orm import sessionmaker

from apm.accounts.queries import hospitals, system_actor
from apm.core.command import Context
from apm.core.db import ApmSession
from apm.core.jobs import JOBS, Job
from apm.worker import delivery, lease

log = logging.getLogger(__name__)
# A job that is still at it when its next turn comes leaves that turn out: no news, every second.
logging.getLogger("apscheduler.scheduler").addFilter(
    lambda record: "maximum number of running instances" not in record.msg
)
LEADER = "leader"


class Worker:
    """Runs jobs and delivers events for as long as it leads; stands by while another does."""

    def __init__(self, sessions: sessionmaker[ApmSession]) -> None:
        self.sessions = sessions
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.leads = Flag()
        # One thread: jobs take turns, as SQLite has one writer and Python one busy core anyway;
        # the lease has its own, so that a long job does not let it lapse.
        lanes = {"default", "lease", "outside", *map(_lane, JOBS.values())}
        self.scheduler = BackgroundScheduler(
            # What waits for other servers has one too, and holds up nothing here.
            executors={name: ThreadPoolExecutor(1) for name in lanes},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )

    def start(self) -> None:
        """Begin in the background; returns at once."""
        self._renew()
        self._every(lease.LASTS.total_seconds() / 3, self._renew, executor="lease")
        self._every(1, self._deliver, executor="default")
        for one in JOBS.values():
            self._every(one.every.total_seconds(), self.run_job, one, executor=_lane(one))
        self.scheduler.start()
        for one in JOBS.values():  # and once now, so that nobody waits a day after a restart
            self.scheduler.add_job(self.run_job, args=[one], executor=_lane(one))

    def stop(self) -> None:
        """Finish the job at hand, then give the lead away."""
        self.scheduler.shutdown(wait=True)
        if self.leads.is_set():
            with self.sessions() as session:
                lease.release(_system(session), name=LEADER, holder=self.holder)
        self.leads.clear()

    def run_job(self, one: Job) -> None:
        """Run one job for every hospital, if this worker leads."""
        if not self.leads.is_set():
            return
        with self.sessions() as session:
            _system(session)
            ids = [hospital.id for hospital in hospitals(session)]
        for hospital_id in ids:
            self._run_for(one, hospital_id)

    def _run_for(self, one: Job, hospital_id: int) -> None:
        with self.sessions() as session:
            try:
                one.work(Context(session, system_actor(hospital_id, f"job:{one.name}")))
            except Exception:  # one hospital's trouble must not stop the others
                log.exception("job %s failed for hospital %s", one.name, hospital_id)

    def _deliver(self) -> None:
        if self.leads.is_set():
            with self.sessions() as session:
                delivery.deliver(_system(session))

    def _renew(self) -> None:
        with self.sessions() as session:
            leads = lease.take(_system(session), name=LEADER, holder=self.holder)
        if leads != self.leads.is_set():
            log.info("%s %s", self.holder, "leads" if leads else "stands by")
        if leads:
            self.leads.set()
        else:
            self.leads.clear()

    def _every(self, seconds: float, work: Any, *args: object, executor: str) -> None:
        self.scheduler.add_job(work, "interval", seconds=seconds, args=args, executor=executor)


def _lane(one: Job) -> str:
    return one.lane or ("outside" if one.waits else "default")


def _system(session: ApmSession) -> Context:
    return Context(session, system_actor(None))

"""What a worker must be able to do with a release: the corridor above the rooms, as the stairs see it."""

from collections.abc import Callable
from typing import Protocol


class PlannedStep(Protocol):
    """One step of a plan. `needs` names the steps whose results it reads; they come before it in the plan."""

    @property
    def name(self) -> str: ...
    @property
    def needs(self) -> tuple[str, ...]: ...


class Plan(Protocol):
    @property
    def steps(self) -> tuple[PlannedStep, ...]: ...


class Corridor(Protocol):
    """All of it may be called again after a kill at any moment, and raises MediaforgeError where a user can do something."""

    def plan_release(self, release_id: str, on_progress: Callable[[float], None]) -> None: ...
    def load_plan(self, release_id: str) -> Plan: ...
    def run_planned(self, release_id: str, step_name: str, on_progress: Callable[[float], None]) -> object: ...
    def is_done(self, release_id: str, step_name: str) -> bool: ...

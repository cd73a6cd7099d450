"""What training materials report: SCORM run-time data, xAPI statements, video positions, test answers."""

from __future__ import annotations

from random import Random
from typing import Any

QUESTIONS = ("What do you do first?", "Who is responsible?", "Which of these is a risk?", "When do you report it?")
ANSWERS = ("a", "b", "c", "d")


def report(kind: str, code: str, progress: int, score: int | None, chance: Random) -> dict[str, Any]:
    """State and responses of one material at this progress (percent), as columns of MaterialTracking."""
    answered = len(QUESTIONS) * progress // 100
    make = {"scorm": _scorm, "xapi": _xapi, "video": _video, "test": _test}[kind]
    done = progress == 100
    return {
        "kind": kind,
        "material": f"{code.lower()}-{kind}",
        "status": "passed" if done else "incomplete",
        "score": score,
        **make(code, progress, score, [(text, chance.choice(ANSWERS)) for text in QUESTIONS[:answered]]),
    }


def _scorm(code: str, progress: int, score: int | None, answers: list[tuple[str, str]]) -> dict[str, Any]:
    state = {
        "cmi.core.lesson_status": "passed" if progress == 100 else "incomplete",
        "cmi.core.lesson_location": f"page-{progress // 5 + 1}",
        "cmi.suspend_data": f"v1|{code}|{progress}|{len(answers)}",
        "cmi.core.score.raw": "" if score is None else str(score),
    }
    interactions = [
        {"id": f"q{place}", "type": "choice", "description": text, "student_response": answer}
        for place, (text, answer) in enumerate(answers, 1)
    ]
    return {"state": state, "responses": {"interactions": interactions}}


def _xapi(code: str, progress: int, score: int | None, answers: list[tuple[str, str]]) -> dict[str, Any]:
    scaled = None if score is None else score / 100
    activity = f"https://learning.example.org/activities/{code.lower()}"
    statements = [
        {
            "verb": "http://adlnet.gov/expapi/verbs/answered",
            "object": f"{activity}/q{place}",
            "result": {"response": answer},
        }
        for place, (_, answer) in enumerate(answers, 1)
    ]
    return {"state": {"progress": progress / 100, "score": {"scaled": scaled}}, "responses": {"statements": statements}}


def _video(code: str, progress: int, score: int | None, answers: list[tuple[str, str]]) -> dict[str, Any]:
    return {"state": {"seconds": 6 * progress, "of": 600, "chapter": len(answers)}, "responses": {}}


def _test(code: str, progress: int, score: int | None, answers: list[tuple[str, str]]) -> dict[str, Any]:
    return {"state": {"page": len(answers)}, "responses": {f"q{n}": answer for n, (_, answer) in enumerate(answers, 1)}}

"""Whatever is asked, the service answers: it refuses or plays, and never breaks."""

import json

import pytest
from asking import FORMS, following
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.lab.http1 import HttpRequest
from codi.lab.service import Service
from codi.providers.script import script_of

CALLS = [{"name": "read", "arguments": {"path": "a"}}, {"name": "read", "arguments": {"path": "b"}}]
SCRIPT = script_of({"loop": True, "steps": [{"thinking": "I think.", "text": "I look.", "calls": CALLS}]})

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "x", "user", "text"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "role", "text", "id", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def asked(service, form, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = HttpRequest("POST", form.path, {}, dict(form.headers), content, 0.0, 1)
    answer = service.answer(request, now=0.0)
    return answer.status, b"".join(answer.course)


def places(plain, path=()):
    yield path
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from places(value, (*path, key))
    elif isinstance(plain, list):
        for index, value in enumerate(plain):
            yield from places(value, (*path, index))


def replaced(plain, path, value):
    if not path:
        return value
    if isinstance(plain, dict):
        return {key: replaced(each, path[1:], value) if key == path[0] else each for key, each in plain.items()}
    return [replaced(each, path[1:], value) if at == path[0] else each for at, each in enumerate(plain)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_change_of_a_request_is_refused_or_answered(form, data):
    service = Service(SCRIPT)
    _, first = asked(service, form, form.whole()[1])
    sound = following(form, json.loads(first), ["A", "B"])
    path = data.draw(st.sampled_from(list(places(sound))))
    status, body = asked(service, form, replaced(sound, path, data.draw(ANYTHING)))
    assert status in (200, 400, 404) and body
    assert len(service.violations) == (status != 200)


@given(st.binary(max_size=30))
def test_any_bytes_are_refused(content):
    for form in FORMS:
        status, body = asked(Service(SCRIPT), form, content)
        assert status == 400 and json.loads(body)

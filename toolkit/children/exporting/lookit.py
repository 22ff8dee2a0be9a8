"""Children Helping Science (Lookit): the script of a timeline, and the media that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.children.exporting.media import as_files
from toolkit.children.exporting.page import text_of, timeline_data

if TYPE_CHECKING:
    from toolkit.children.exporting.experiment import Experiment

MEDIA = "media"


def files(experiment: Experiment) -> dict[str, bytes]:
    """Files by their names: `experiment.js`, to be pasted into the study, and media to be uploaded.

    Args:
        experiment: what they are made of.
    """
    media = as_files(experiment.stimuli, experiment.lists.stimulus_ids)
    data = timeline_data(experiment) | {
        "media": {one: name for one, (name, _) in media.items()},
        "consent": experiment.texts.consent,
        "instructions": experiment.texts.instructions,
    }
    script = text_of("lookit.js.jinja", data=data, design=experiment.design)
    return {"experiment.js": script.encode()} | {
        f"{MEDIA}/{name}": content for name, content in media.values()
    }

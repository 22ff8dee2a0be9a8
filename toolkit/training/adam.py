"""Adam as torch has it, without torch's compiler.

Methods of torch's optimisers are wrapped, so that the compiler leaves them alone; the wrapping
loads the compiler when one of them is first called. Nothing is compiled here, and it takes 160 MB
of memory and seconds to load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def _bare(method: Callable[..., Any]) -> Callable[..., Any]:
    """What was wrapped."""
    bare: Callable[..., Any] = getattr(method, "__wrapped__", method)
    return bare


class Adam(torch.optim.Adam):
    """See `torch.optim.Adam`; steps are the same to the last bit, and so is what is kept of them.

    Example:
        >>> weight = torch.ones(2, requires_grad=True)
        >>> adam = Adam([weight], lr=0.1, fused=True)
        >>> weight.sum().backward()
        >>> adam.step()
        >>> weight
        tensor([0.9000, 0.9000], requires_grad=True)
    """

    add_param_group = _bare(torch.optim.Adam.add_param_group)
    zero_grad = _bare(torch.optim.Adam.zero_grad)
    state_dict = _bare(torch.optim.Adam.state_dict)
    load_state_dict = _bare(torch.optim.Adam.load_state_dict)
    step = torch.no_grad()(_bare(torch.optim.Adam.step))

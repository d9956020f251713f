"""The dry run: what a link would send, on what basis, how coarse, and what would be lost.

In go the files of a workspace, the signed directory and what was counted at the sources; out comes
a plan that says 送れます or 送れません and why, and a hash of the decision. A person approves the
plan; when anything that the decision rests on changes, the link waits for a new approval.

Start at ``workspace.load``, then ``plan.plan``, then ``approval``.
"""

"""The verbs: survey, plan, submit, track, collect. Functions over ports."""

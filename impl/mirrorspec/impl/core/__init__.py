"""The controller without input and output: primary unit, secondary unit and session as machines.

A machine is told of an *event* and answers with an *outcome*: which steps of the specification it takes, what must be durable
before anything else happens, and what to put out then. It changes nothing itself until its host says that the durable part
has been persisted (`apply`), so an event whose persist failed has not happened. Whoever runs a machine, on a network or in a
simulation, does these three things in this order and needs to know nothing else:

    outcome = machine.handle(event)
    storage.commit(outcome.changes)        # all or nothing; raises StorageFailedError
    machine.apply(outcome)
    ...send, acknowledge and set timers as outcome.outputs says, then handle each of outcome.then

Read `messages` and `events`, then `outcome`, then `decisions` (what happens to one track), and then `primary`, `secondary`
and `session`.
"""

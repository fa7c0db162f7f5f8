"""The controller as it really runs: parties with folders, links, timers and hosts, and recovery of what they leave behind.

Read `config` (what an installation is), `runner` (one machine), `party` (one machine with all around it), `serving` (the
parties of a process), then `numbers` (of sessions), `endpoint` and `states` (how parties are asked how they are), and
`recovery`.
"""

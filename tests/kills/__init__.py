"""Real kills: every kind of effect, SIGKILL at each of eight points of its life, on both databases.

A warm process (`python -m tests.kills`) has prepared the offices and forks, for every case, a sandbox, a victim that is
killed, and a survivor that applies again; what the survivor finds is judged by the tests.
"""

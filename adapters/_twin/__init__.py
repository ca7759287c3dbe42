"""What every ledger sandbox ("twin") shares and no ledger knows: messages, server, faults, clock, control plane.

Standard library only. Nothing here imports `connector` or any adapter's client, so that a sandbox and the client
under test cannot share a misreading.
"""

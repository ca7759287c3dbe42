"""Use cases, one file each; the surfaces (command line, demo) call these and nothing below."""

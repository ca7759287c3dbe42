"""When work is done: one process and APScheduler for now; due dates and retries live in our own tables."""

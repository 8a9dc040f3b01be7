"""Where the window meets the engine: worker threads, the mailbox between them and the window, the queue of runs."""

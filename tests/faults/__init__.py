"""Faults that are injected: memory, numbers, disks, files that change, clocks, graphics cards, windows.

What lies elsewhere, beside what it tests, and is not repeated here:

- network that does not fit: core/engine/test_memory.py, test_watch.py; compiled one: test_accelerate.py
- network of NaN, memory at the start and in the prior: core/engine/test_runner.py; plug-ins: core/test_plugins.py
- checkpoints damaged, cut off, on a full disk: core/engine/test_checkpoint_file.py; killed runs: cli/test_resume.py
- killed sweeps, batches, workers: cli/test_sweep.py, core/engine/test_batch_cluster.py, test_batch.py
- killed windows, sessions offered, locks of the dead: app/test_projects_kept.py; of runs: app/test_film_branch.py
- projects on a full disk or damaged, scans that moved or changed: app/test_projects*.py
- damaged and cut off files of every format: core/formats/test_bad_input.py, fuzz/
- reports of crashes on a full disk: app/test_crash.py; priors half added: core/priors/test_adding.py
- matrices in a cache that fails: core/operators/test_matrix_cache.py
"""

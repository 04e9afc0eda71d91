"""Jobs: the heavy work, where it waits, and who does it. Begin with `engine.jobs.base`."""

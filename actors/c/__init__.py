"""A user's C as actors: compiled, instrumented access by access, run as coroutines that the runtime resumes.

Here belongs what turns C files into an image at a fixed address and its functions into actors. The kernel's primitives
do not belong here: they are the kit's, and C calls them by their link names.
"""

"""The one HTTP server: the chat page, sign-in, the demo's panel and the health of the program."""

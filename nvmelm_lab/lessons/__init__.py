"""What the course asks and shows: misconceptions, questions, the learner's progress, small experiments at the door.

Plain values and plain functions; views show them.  No notebook's prose belongs here, and nothing that draws.
"""

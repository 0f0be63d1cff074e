"""A new user's first hour, in a real browser: scripts/test --browser.

Home Assistant, its web page, the cloud and Chromium are processes of their own. The
steps of one file go on from one another, so the first that fails is the news.
"""

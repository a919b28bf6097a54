"""The JSON face, and the upload and download of file contents."""

"""REST: courses, enrollments, records, awards. Import the modules for their resources."""
